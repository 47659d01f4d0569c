using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Lists objects page by page, each page read item by item as it comes, so that a large cluster costs neither the API server nor us
/// much at once.
/// </summary>
internal sealed class ResourceLister(KubernetesClient client, int pageSize = ResourceLister.DefaultPageSize)
{
    private const int DefaultPageSize = 500;

    /// <summary>How often a list that expired on the way is begun anew.</summary>
    private const int MaximumRestarts = 5;

    /// <summary>
    /// What <paramref name="read"/> took of each object. An object may come twice when the server made us begin anew.
    /// </summary>
    /// <param name="query">Which objects.</param>
    /// <param name="read">Takes of an object what is needed; the element is not usable afterwards.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
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
                // The snapshot that the token meant is compacted; the server may offer to go on with a newer one, else we begin anew.
                token = problem.Continue;
            }
            foreach (var item in page)
                yield return item;
        }
    }

    /// <summary>Reads one page.</summary>
    /// <param name="query">Which objects.</param>
    /// <param name="token">The page's token, or null for the first.</param>
    /// <param name="read">Takes of an object what is needed.</param>
    /// <param name="page">Gets what was taken.</param>
    /// <param name="cancellationToken">Ends the call.</param>
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
