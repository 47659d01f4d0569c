using System.Text.Json.Nodes;

namespace ProxySwapper.Switching;

/// <summary>Stores a webhook's configuration between <c>disable</c> and <c>enable</c>. <c>ToString</c> names the place.</summary>
internal interface IRemovedWebhookStore
{
    /// <summary>Stores the object, or a List of several, replacing what was stored before.</summary>
    /// <exception cref="WebhookSwitchException">It cannot be stored.</exception>
    Task KeepAsync(JsonObject webhook, CancellationToken cancellationToken);

    /// <summary>Reads the stored object, or null.</summary>
    /// <exception cref="WebhookSwitchException">The stored object cannot be read.</exception>
    Task<JsonObject?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Removes the stored object once it has been restored.</summary>
    Task ForgetAsync(CancellationToken cancellationToken);
}
