using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>Pods: listed and watched as a stream, changed by JSON patch.</summary>
internal sealed class PodClient(KubernetesClient client)
{
    /// <summary>Lists Pods; an object may occur twice if the list had to be restarted.</summary>
    /// <inheritdoc cref="ResourceLister.ListAsync{T}"/>
    public IAsyncEnumerable<T> ListAsync<T>(ResourceQuery query, Func<JsonElement, T> read, CancellationToken cancellationToken) =>
        new ResourceLister(client).ListAsync(query, read, cancellationToken);

    /// <summary>Changes a Pod with a JSON patch (RFC 6902).</summary>
    /// <param name="namespace">The Pod's namespace.</param>
    /// <param name="name">The Pod's name.</param>
    /// <param name="patch">The operations. Either all are applied or none.</param>
    /// <param name="fieldManager">The field manager, which <c>managedFields</c> and webhooks show.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The Pod after the change.</returns>
    /// <exception cref="KubernetesException">
    /// 404 if the Pod does not exist; 422 if a <c>test</c> failed, a path does not exist, or a field is immutable; 403 without permission;
    /// 409 if a <c>resourceVersion</c> in the patch does not match.
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
    /// Reads a Pod by a patch without operations, which needs the permission to patch Pods but not to get them. Null if the Pod does not
    /// exist.
    /// </summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public async Task<JsonObject?> ReadByPatchAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        var path = ResourceType.Pods.ObjectPath(@namespace, name);
        try
        {
            var pod = await client.PatchAsync(path, PatchKind.Json, new JsonArray(), cancellationToken);
            return pod.Text("metadata", "uid") is not null
                ? pod
                : throw new KubernetesException(
                    new ApiRequest(HttpMethod.Patch, path),
                    HttpStatusCode.OK,
                    null,
                    "the response is not a Pod"
                );
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
