using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Lists what refers to a manifest: by the referrers API, or by the tag that stands in for it.</summary>
internal sealed class ReferrersReader(RegistryTransport transport, RegistryRequests requests, ManifestReader manifests)
{
    private const int MaxPages = 1000;

    public async Task<IReadOnlyList<Descriptor>> ListAsync(string repository, Digest subject, CancellationToken cancellationToken)
    {
        var request = await requests.ToReferrersAsync(repository, subject, cancellationToken) with
        {
            Accept = [MediaTypes.OciIndex],
            // Registries from before the API say "no such page" in every way that there is.
            Expected =
            [
                HttpStatusCode.OK,
                HttpStatusCode.NotFound,
                HttpStatusCode.BadRequest,
                HttpStatusCode.MethodNotAllowed,
                HttpStatusCode.NotAcceptable,
                HttpStatusCode.NotImplemented,
            ],
        };
        var referrers = new List<Descriptor>();
        for (var page = 1; ; page++)
        {
            var (found, next) = await transport.SendAsync(
                request,
                answer => ReadPageAsync(answer, request, cancellationToken),
                cancellationToken
            );
            if (found is null)
                return page == 1
                    ? await ListByTagAsync(repository, subject, cancellationToken)
                    : throw request.Fault(null, "a page of its list of referrers is missing");
            referrers.AddRange(found);
            if (next is null)
                return referrers;
            if (next == request.Address || page == MaxPages)
                throw request.Fault(HttpStatusCode.OK, "its list of referrers does not end");
            request = request with { Address = next };
        }
    }

    /// <summary>A page's entries; null when the answer is none of the API.</summary>
    private async Task<(IReadOnlyList<Descriptor>? Found, Uri? Next)> ReadPageAsync(
        RegistryResponse answer,
        RegistryRequest request,
        CancellationToken cancellationToken
    )
    {
        using (answer)
        {
            if (answer.Status != HttpStatusCode.OK)
                return default;
            var body = await answer.ReadBodyAsync(transport.Options.MaxManifestSize, cancellationToken);
            return (Entries(body), LinkHeader.Of(answer, request.Address));
        }
    }

    private async Task<IReadOnlyList<Descriptor>> ListByTagAsync(string repository, Digest subject, CancellationToken cancellationToken)
    {
        var tag = ReferrersTag.Of(subject);
        if (await manifests.HeadAsync(repository, tag, cancellationToken) is null)
            return [];
        return await manifests.FindAsync(repository, tag, cancellationToken) is { } index && Entries(index.Bytes) is { } entries
            ? entries
            : [];
    }

    private static List<Descriptor>? Entries(ReadOnlyMemory<byte> index)
    {
        try
        {
            using var document = JsonDocument.Parse(index);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("manifests", out _)
                ? [.. DescriptorJson.List(root, "manifests")]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
