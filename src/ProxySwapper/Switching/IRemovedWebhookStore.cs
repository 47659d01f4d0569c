using System.Text.Json.Nodes;

namespace ProxySwapper.Switching;

/// <summary>Where <c>disable</c> keeps a webhook's configuration for <c>enable</c>. Its text says where, for people.</summary>
internal interface IRemovedWebhookStore
{
    /// <summary>Keeps the object, in place of one kept before.</summary>
    /// <exception cref="WebhookSwitchException">It cannot be kept here.</exception>
    Task KeepAsync(JsonObject webhook, CancellationToken cancellationToken);

    /// <summary>What is kept, or null.</summary>
    /// <exception cref="WebhookSwitchException">What is kept cannot be read.</exception>
    Task<JsonObject?> FindAsync(CancellationToken cancellationToken);

    /// <summary>Forgets what is kept, once it is back in place.</summary>
    Task ForgetAsync(CancellationToken cancellationToken);
}
