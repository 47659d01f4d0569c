using System.Runtime.CompilerServices;
using System.Text.Json;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Lists tags page by page.</summary>
internal static class TagLister
{
    private const int MaxPages = 10_000;

    public static async IAsyncEnumerable<string> ReadAsync(
        RegistryTransport transport,
        RegistryRequests requests,
        string repository,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var request = await requests.ToTagsAsync(repository, cancellationToken);
        for (var page = 1; ; page++)
        {
            var (tags, next) = await transport.SendAsync(
                request,
                answer => ReadPageAsync(answer, request, transport.Options.MaxManifestSize, cancellationToken),
                cancellationToken
            );
            foreach (var tag in tags)
                yield return tag;
            if (next is null)
                yield break;
            if (next == request.Address || page == MaxPages)
                throw request.Fault(System.Net.HttpStatusCode.OK, "its list of tags does not end");
            request = request with { Address = next };
        }
    }

    private static async Task<(IReadOnlyList<string> Tags, Uri? Next)> ReadPageAsync(
        RegistryResponse answer,
        RegistryRequest request,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var body = await answer.ReadBodyAsync(limit, cancellationToken);
        using (answer)
        {
            try
            {
                using var document = JsonDocument.Parse(body);
                var root = document.RootElement;
                var list =
                    root.ValueKind == JsonValueKind.Object
                    && root.TryGetProperty("tags", out var tags)
                    && tags.ValueKind == JsonValueKind.Array
                        ? tags.EnumerateArray()
                        : default;
                return (
                    [.. list.Where(tag => tag.ValueKind == JsonValueKind.String).Select(tag => tag.GetString()!)],
                    LinkHeader.Of(answer, request.Address)
                );
            }
            catch (JsonException fault)
            {
                throw request.Fault(answer.Status, "its list of tags is no JSON", fault);
            }
        }
    }
}
