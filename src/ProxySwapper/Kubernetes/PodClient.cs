using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>Pods: listed and watched as a stream, changed by JSON patch.</summary>
internal sealed class PodClient(KubernetesClient client)
{
    /// <summary>Lists Pods; an object may come twice when the server made us begin anew.</summary>
    /// <inheritdoc cref="ResourceLister.ListAsync{T}"/>
    public IAsyncEnumerable<T> ListAsync<T>(ResourceQuery query, Func<JsonElement, T> read, CancellationToken cancellationToken) =>
        new ResourceLister(client).ListAsync(query, read, cancellationToken);

    /// <summary>Changes a Pod with a JSON patch (RFC 6902).</summary>
    /// <param name="namespace">The Pod's namespace.</param>
    /// <param name="name">The Pod's name.</param>
    /// <param name="patch">The operations. All of them are applied, or none.</param>
    /// <param name="fieldManager">Who changes it, as <c>managedFields</c> and webhooks show it.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The Pod as it is now.</returns>
    /// <exception cref="KubernetesException">
    /// 404 when the Pod does not exist; 422 when a <c>test</c> failed, a path does not exist, or a field must not be changed; 403 when
    /// we may not; 409 when a <c>resourceVersion</c> in the patch is not the Pod's.
    /// </exception>
    public Task<JsonObject> PatchAsync(
        string @namespace,
        string name,
        JsonArray patch,
        string fieldManager,
        CancellationToken cancellationToken
    ) =>
        client.PatchAsync(
            $"{ResourceType.Pods.ObjectPath(@namespace, name)}?fieldManager={Uri.EscapeDataString(fieldManager)}",
            PatchKind.Json,
            patch,
            cancellationToken
        );

    /// <summary>
    /// Reads a Pod with the right to patch Pods, by a patch without operations: no right to get Pods is needed. Null when the Pod does
    /// not exist.
    /// </summary>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
    public async Task<JsonObject?> ReadByPatchAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.PatchAsync(
                ResourceType.Pods.ObjectPath(@namespace, name),
                PatchKind.Json,
                new JsonArray(),
                cancellationToken
            );
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
