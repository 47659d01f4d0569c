using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>Objects of one kind as JSON: unknown fields are preserved.</summary>
/// <param name="client">The API server.</param>
/// <param name="type">The kind.</param>
internal sealed class ResourceClient(KubernetesClient client, ResourceType type)
{
    /// <summary>An object, or null when it (or its kind) does not exist.</summary>
    /// <param name="namespace">Its namespace, or null if the kind is cluster-scoped.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public Task<JsonObject?> GetAsync(string? @namespace, string name, CancellationToken cancellationToken) =>
        client.GetAsync(type.ObjectPath(@namespace, name), cancellationToken);

    /// <summary>Creates an object.</summary>
    /// <returns>The object as it was stored.</returns>
    /// <exception cref="KubernetesException">
    /// The server returned an error; with reason <c>AlreadyExists</c> if the name is taken.
    /// </exception>
    public Task<JsonObject> CreateAsync(string? @namespace, JsonObject body, CancellationToken cancellationToken) =>
        client.PostAsync(type.CollectionPath(@namespace), body, cancellationToken);

    /// <summary>
    /// Replaces an object. With uid and resourceVersion in its metadata, only that version is replaced; without the uid, an object deleted
    /// in the meantime is created again.
    /// </summary>
    /// <exception cref="KubernetesException">The server returned an error; 409 if the version has changed.</exception>
    public Task<JsonObject> UpdateAsync(string? @namespace, string name, JsonObject body, CancellationToken cancellationToken) =>
        client.PutAsync(type.ObjectPath(@namespace, name), body, cancellationToken);

    /// <summary>Changes an object.</summary>
    /// <exception cref="KubernetesException">The server returned an error or did not respond.</exception>
    public Task<JsonObject> PatchAsync(
        string? @namespace,
        string name,
        PatchKind kind,
        JsonNode patch,
        CancellationToken cancellationToken
    ) => client.PatchAsync(type.ObjectPath(@namespace, name), kind, patch, cancellationToken);

    /// <summary>Deletes an object if it is still the one that was read; false if it did not exist.</summary>
    /// <exception cref="KubernetesException">The server returned an error; 409 if the object or its version has changed.</exception>
    public Task<bool> DeleteAsync(string? @namespace, string name, Preconditions? preconditions, CancellationToken cancellationToken) =>
        client.DeleteAsync(type.ObjectPath(@namespace, name), preconditions?.ToJson(), cancellationToken);
}
