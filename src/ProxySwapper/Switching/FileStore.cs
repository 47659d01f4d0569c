using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProxySwapper.Switching;

/// <summary>Keeps a webhook's configuration in a file that <c>kubectl create -f</c> takes as well.</summary>
internal sealed class FileStore(string path) : IRemovedWebhookStore
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    public async Task KeepAsync(JsonObject webhook, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.Create(path);
            await using var writer = new Utf8JsonWriter(file, Indented);
            webhook.WriteTo(writer);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WebhookSwitchException($"{this} cannot be written, so nothing was removed: {fault.Message}", fault);
        }
    }

    public async Task<JsonObject?> FindAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonNode.Parse(await File.ReadAllTextAsync(path, cancellationToken)) as JsonObject
                ?? throw new WebhookSwitchException($"{this} holds no object");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new WebhookSwitchException($"{this} cannot be read: {fault.Message}", fault);
        }
    }

    /// <summary>The file is its owner's, and stays.</summary>
    public Task ForgetAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override string ToString() => $"file {path}";
}
