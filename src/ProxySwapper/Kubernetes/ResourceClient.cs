using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>Objects of one kind as the API server has them: fields that we do not know stay.</summary>
/// <param name="client">The API server.</param>
/// <param name="type">The kind.</param>
internal sealed class ResourceClient(KubernetesClient client, ResourceType type)
{
    /// <summary>An object, or null when it (or its kind) does not exist.</summary>
    /// <param name="namespace">Its namespace, or null when the kind has none.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
    public Task<JsonObject?> GetAsync(string? @namespace, string name, CancellationToken cancellationToken) =>
        client.GetAsync(type.ObjectPath(@namespace, name), cancellationToken);

    /// <summary>Creates an object.</summary>
    /// <returns>The object as it was stored.</returns>
    /// <exception cref="KubernetesException">
    /// The server refused; with reason <c>AlreadyExists</c> when there is one of that name.
    /// </exception>
    public Task<JsonObject> CreateAsync(string? @namespace, JsonObject body, CancellationToken cancellationToken) =>
        client.PostAsync(type.CollectionPath(@namespace), body, cancellationToken);

    /// <summary>
    /// Replaces an object. With uid and resourceVersion in its metadata only that very version is replaced; without the uid an object
    /// that was removed meanwhile is created again.
    /// </summary>
    /// <exception cref="KubernetesException">The server refused; 409 when it is another version by now.</exception>
    public Task<JsonObject> UpdateAsync(string? @namespace, string name, JsonObject body, CancellationToken cancellationToken) =>
        client.PutAsync(type.ObjectPath(@namespace, name), body, cancellationToken);

    /// <summary>Changes an object.</summary>
    /// <exception cref="KubernetesException">The server refused or did not answer.</exception>
    public Task<JsonObject> PatchAsync(
        string? @namespace,
        string name,
        PatchKind kind,
        JsonNode patch,
        CancellationToken cancellationToken
    ) => client.PatchAsync(type.ObjectPath(@namespace, name), kind, patch, cancellationToken);

    /// <summary>Removes an object if it still is the one that was seen; false when it did not exist.</summary>
    /// <exception cref="KubernetesException">The server refused; 409 when it is another one or another version by now.</exception>
    public Task<bool> DeleteAsync(string? @namespace, string name, Preconditions? preconditions, CancellationToken cancellationToken) =>
        client.DeleteAsync(type.ObjectPath(@namespace, name), preconditions?.ToJson(), cancellationToken);
}
