using System.Runtime.CompilerServices;
using System.Text.Json;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Lists tags page by page. An excessively long list is refused, since it is held in memory.</summary>
internal static class TagLister
{
    /// <summary>Registries without paging send everything at once.</summary>
    private const int MaxPageSize = 16 * 1024 * 1024;

    private const int MaxTags = 500_000;

    /// <summary>So many tags of common lengths have fewer; those of the greatest length would occupy twice as much.</summary>
    private const int MaxCharacters = 32 * 1024 * 1024;
    private const int MaxPages = 10_000;

    // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
    private const int MaxTagLength = 128;

    public static async IAsyncEnumerable<string> ReadAsync(
        RegistryTransport transport,
        RegistryRequests requests,
        string repository,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var request = await requests.ToTagsAsync(repository, cancellationToken);
        var (count, characters) = (0, 0);
        for (var page = 1; ; page++)
        {
            var (tags, next) = await (
                page == 1 ? ReadFirstPageAsync(transport, request, cancellationToken) : ReadPageAsync(transport, request, cancellationToken)
            );
            foreach (var tag in tags)
                yield return tag;
            if (next is null)
                yield break;
            if ((characters += tags.Sum(tag => tag.Length)) > MaxCharacters)
                throw request.Fault(
                    System.Net.HttpStatusCode.OK,
                    $"its tags have more than {MaxCharacters} characters in total, the limit",
                    limit: true
                );
            if ((count += tags.Count) > MaxTags)
                throw request.Fault(System.Net.HttpStatusCode.OK, $"it has more than {MaxTags} tags, the limit", limit: true);
            if (page == MaxPages)
                throw request.Fault(System.Net.HttpStatusCode.OK, $"it has more than {MaxPages} pages of tags", limit: true);
            request = next;
        }
    }

    /// <summary>If a registry does not support the page size, it is omitted.</summary>
    private static async Task<TagPage> ReadFirstPageAsync(
        RegistryTransport transport,
        RegistryRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadPageAsync(transport, request, cancellationToken);
        }
        catch (RegistryException refusal) when (RegistryQuirks.IsPageSizeRefused(refusal))
        {
            return await ReadPageAsync(
                transport,
                request with
                {
                    Address = new UriBuilder(request.Address) { Query = "" }.Uri,
                },
                cancellationToken
            );
        }
    }

    private static Task<TagPage> ReadPageAsync(RegistryTransport transport, RegistryRequest request, CancellationToken cancellationToken) =>
        transport.SendAsync(
            request,
            async response =>
            {
                var body = await response.ReadBodyAsync(MaxPageSize, cancellationToken);
                using (response)
                    return new TagPage(Parse(body, request, response), LinkHeader.Next(response, request));
            },
            cancellationToken
        );

    /// <summary>An invalid response must not pass as an empty list.</summary>
    private static IReadOnlyList<string> Parse(ReadOnlyMemory<byte> body, RegistryRequest request, RegistryResponse response)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (!document.RootElement.TryGetProperty("tags", out var tags))
                throw request.Fault(response.Status, "the response to the list of tags has no tags");
            // A repository without tags has null in many registries.
            return tags.ValueKind == JsonValueKind.Null ? [] : [.. tags.EnumerateArray().Select(TagOf)];
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw request.Fault(response.Status, $"invalid list of tags: {fault.Message}", fault);
        }
    }

    private static string TagOf(JsonElement tag) =>
        tag.GetString() switch
        {
            null => throw new InvalidOperationException("a tag is null"),
            { Length: > MaxTagLength } => throw new InvalidOperationException($"a tag is longer than {MaxTagLength} characters, the limit"),
            var text => text,
        };

    private sealed record TagPage(IReadOnlyList<string> Tags, RegistryRequest? Next);
}
