using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Lists objects page by page and reads each page as a stream, so that a large cluster burdens neither the API server nor this process.
/// </summary>
internal sealed class ResourceLister(KubernetesClient client, int pageSize = ResourceLister.DefaultPageSize)
{
    private const int DefaultPageSize = 500;

    /// <summary>How often an expired list is restarted.</summary>
    private const int MaximumRestarts = 5;

    /// <summary>The result of <paramref name="read"/> for each object. An object may occur twice if the list had to be restarted.</summary>
    /// <param name="query">Which objects.</param>
    /// <param name="read">Extracts what is needed from an object; the element is not valid afterwards.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async IAsyncEnumerable<T> ListAsync<T>(
        ResourceQuery query,
        Func<JsonElement, T> read,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        string? token = null;
        var (restarts, isLast) = (0, false);
        while (!isLast)
        {
            var page = new List<T>();
            try
            {
                (_, token) = await ReadPageAsync(query, token, read, page, cancellationToken);
                isLast = token is null;
            }
            catch (KubernetesException problem) when (problem.Status == HttpStatusCode.Gone && restarts++ < MaximumRestarts)
            {
                // The token's snapshot was compacted. The server may offer a token for a newer one; otherwise the list starts over.
                token = problem.Continue;
            }
            foreach (var item in page)
                yield return item;
        }
    }

    /// <summary>Reads one page.</summary>
    /// <param name="query">Which objects.</param>
    /// <param name="token">The page's token, or null for the first.</param>
    /// <param name="read">Extracts what is needed from an object.</param>
    /// <param name="page">Receives the results.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The list's resource version and the token of the next page.</returns>
    public Task<(string ResourceVersion, string? Continue)> ReadPageAsync<T>(
        ResourceQuery query,
        string? token,
        Func<JsonElement, T> read,
        List<T> page,
        CancellationToken cancellationToken
    )
    {
        var path = query.ToPath(("limit", pageSize.ToString(CultureInfo.InvariantCulture)), ("continue", token));
        return client.ReadListAsync(path, item => page.Add(read(item)), cancellationToken);
    }
}
