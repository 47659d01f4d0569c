using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ProxySwapper.Kubernetes;

/// <summary>Lists Pods page by page, so that a large cluster costs neither it nor us much at once.</summary>
internal sealed class PodLister(KubernetesClient client, int pageSize = 200)
{
    /// <summary>How often a list that expired on the way is begun anew.</summary>
    private const int MaximumRestarts = 5;

    /// <summary>
    /// The Pods with these labels that have not ended: those that cannot start for want of an image are among them. A Pod may come
    /// twice when the server made us begin anew.
    /// </summary>
    /// <param name="namespace">One namespace, or null for all.</param>
    /// <param name="labelSelector">For instance <c>key=value</c>.</param>
    /// <param name="read">Takes of a Pod what is needed, before its page is given back.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    public async IAsyncEnumerable<T> ListAsync<T>(
        string? @namespace,
        string labelSelector,
        Func<JsonElement, T> read,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var collection = @namespace is null ? "/api/v1/pods" : $"/api/v1/namespaces/{Uri.EscapeDataString(@namespace)}/pods";
        var query =
            $"{collection}?limit={pageSize}&labelSelector={Uri.EscapeDataString(labelSelector)}"
            + $"&fieldSelector={Uri.EscapeDataString("status.phase!=Succeeded,status.phase!=Failed")}";
        string? token = null;
        for (var restarts = 0; token != ""; )
        {
            var page = new List<T>();
            try
            {
                using var document = await client.GetDocumentAsync(
                    token is null ? query : $"{query}&continue={Uri.EscapeDataString(token)}",
                    cancellationToken
                );
                // A list of no Pod has items: null in some versions.
                if (document.RootElement.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array)
                    page.AddRange(items.EnumerateArray().Select(read));
                token =
                    document.RootElement.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("continue", out var next)
                        ? next.GetString() ?? ""
                        : "";
            }
            catch (KubernetesException fault) when (fault.Status == HttpStatusCode.Gone && restarts++ < MaximumRestarts)
            {
                // The snapshot that the token meant is compacted; the server may offer to go on with a newer one, else it begins anew.
                token = fault.Continue;
            }
            foreach (var pod in page)
                yield return pod;
        }
    }
}
