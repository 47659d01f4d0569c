using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Lists the referrers of a manifest: from the referrers API or its fallback tag.</summary>
internal sealed class ReferrersReader(RegistryTransport transport, RegistryRequests requests, ReferrersTag tag)
{
    private const int MaxReferrers = 10_000;
    private const int MaxPages = 1000;

    /// <summary>Annotations count too, which have no limit of their own.</summary>
    private const int MaxTotalSize = 32 * 1024 * 1024;

    /// <summary>
    /// Repositories for which the API has responded. One host can have others without it, such as those of a proxy for other registries.
    /// </summary>
    private readonly ConcurrentDictionary<string, bool> _haveApi = new(StringComparer.Ordinal);

    public async Task<IReadOnlyList<Descriptor>> ListAsync(string repository, Digest subject, CancellationToken cancellationToken)
    {
        var request = await requests.ToReferrersAsync(repository, subject, cancellationToken) with
        {
            Accept = [MediaTypes.OciIndex],
            // Registries without the API report that in many ways.
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
        var size = 0;
        for (var page = 1; ; page++)
        {
            var (found, next, bytes) = await transport.SendAsync(
                request,
                response => ReadPageAsync(response, request, _haveApi.ContainsKey(repository), cancellationToken),
                cancellationToken
            );
            if (found is null)
                return await tag.ListAsync(repository, subject, cancellationToken);
            transport.Host.HasReferrersApi = _haveApi[repository] = true;
            referrers.AddRange(found);
            if (referrers.Count > MaxReferrers || page == MaxPages)
                throw request.Fault(HttpStatusCode.OK, $"it has more than {MaxReferrers} referrers, the limit", limit: true);
            if ((size += bytes) > MaxTotalSize)
                throw request.Fault(HttpStatusCode.OK, $"its list of referrers has more than {MaxTotalSize} bytes, the limit", limit: true);
            if (next is null)
                return referrers;
            // What has a first page has the API.
            request = next with
            {
                Expected = [HttpStatusCode.OK],
            };
        }
    }

    /// <summary>What the fallback tag lists; null if the host has the API, which only a response shows.</summary>
    public async Task<IReadOnlyList<Descriptor>?> ListByTagAsync(string repository, Digest subject, CancellationToken cancellationToken)
    {
        if (transport.Host.HasReferrersApi)
            return null;
        var found = await ListAsync(repository, subject, cancellationToken);
        return transport.Host.HasReferrersApi ? null : found;
    }

    /// <summary>A page's entries; null if the response is not from the API.</summary>
    private async Task<(IReadOnlyList<Descriptor>? Found, RegistryRequest? Next, int Size)> ReadPageAsync(
        RegistryResponse response,
        RegistryRequest request,
        bool hasApi,
        CancellationToken cancellationToken
    )
    {
        using (response)
        {
            if (response.Status != HttpStatusCode.OK)
                return hasApi
                    ? throw await ErrorResponseReader.ReadAsync(
                        response,
                        request,
                        "it listed the referrers of another manifest before",
                        transport.Time,
                        cancellationToken
                    )
                    : default;
            var body = await response.ReadBodyAsync(transport.Options.MaxManifestSize, cancellationToken);
            // Registries without the API may respond to any path, such as with the page of their web interface.
            var isOther =
                !hasApi && response.ContentHeaders.ContentType?.MediaType is { } type && !type.EndsWith("json", StringComparison.Ordinal);
            return Entries(body, request, isOther) is { } entries ? (entries, LinkHeader.Next(response, request), body.Length) : default;
        }
    }

    /// <summary>The entries of an index. An invalid one is an error, never skipped silently: signatures would be lost.</summary>
    /// <param name="index">The body.</param>
    /// <param name="request">The request.</param>
    /// <param name="isOther">Whether it may be something else than an index, for which null is returned.</param>
    private static IReadOnlyList<Descriptor>? Entries(ReadOnlyMemory<byte> index, RegistryRequest request, bool isOther)
    {
        try
        {
            using var document = JsonDocument.Parse(index);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("manifests", out _))
                return DescriptorJson.List(root, "manifests");
            return isOther ? null : throw new FormatException("it is not an image index");
        }
        catch (JsonException) when (isOther)
        {
            return null;
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            throw request.Fault(HttpStatusCode.OK, $"invalid list of referrers: {fault.Message}", fault);
        }
    }
}
