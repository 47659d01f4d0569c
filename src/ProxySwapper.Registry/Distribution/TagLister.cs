using System.Runtime.CompilerServices;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Lists tags page by page. An excessively long list is rejected, since it is held in memory.</summary>
internal static class TagLister
{
    /// <summary>Registries without paging send everything at once.</summary>
    private const int MaxPageSize = 16 * 1024 * 1024;

    private const int MaxPages = 10_000;

    public static async IAsyncEnumerable<string> ReadAsync(
        RegistryTransport transport,
        RegistryRequests requests,
        string repository,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var request = await requests.ToTagsAsync(repository, cancellationToken);
        var parser = new TagListParser();
        for (var page = 1; ; page++)
        {
            var (tags, next) = await (
                page == 1
                    ? ReadFirstPageAsync(transport, request, parser, cancellationToken)
                    : ReadPageAsync(transport, request, parser, cancellationToken)
            );
            foreach (var tag in tags)
                yield return tag;
            if (next is null)
                yield break;
            if (page == MaxPages)
                throw request.Fault(System.Net.HttpStatusCode.OK, $"it has more than {MaxPages} pages of tags", limit: true);
            request = next;
        }
    }

    /// <summary>If a registry does not support the page size, it is omitted.</summary>
    private static async Task<TagPage> ReadFirstPageAsync(
        RegistryTransport transport,
        RegistryRequest request,
        TagListParser parser,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadPageAsync(transport, request, parser, cancellationToken);
        }
        catch (RegistryException rejection) when (RegistryQuirks.IsPageSizeRejected(rejection))
        {
            return await ReadPageAsync(
                transport,
                request with
                {
                    Address = new UriBuilder(request.Address) { Query = "" }.Uri,
                },
                parser,
                cancellationToken
            );
        }
    }

    private static Task<TagPage> ReadPageAsync(
        RegistryTransport transport,
        RegistryRequest request,
        TagListParser parser,
        CancellationToken cancellationToken
    ) =>
        transport.SendAsync(
            request,
            async response =>
            {
                var body = await response.ReadBodyAsync(MaxPageSize, cancellationToken);
                using (response)
                    return new TagPage(parser.Parse(body.Span, request, response.Status), LinkHeader.Next(response, request));
            },
            cancellationToken
        );

    private sealed record TagPage(IReadOnlyList<string> Tags, RegistryRequest? Next);
}
