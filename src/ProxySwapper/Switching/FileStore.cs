using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;

namespace ProxySwapper.Switching;

/// <summary>Stores a webhook's configuration in a file that <c>kubectl create -f</c> also accepts.</summary>
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
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new WebhookSwitchException($"cannot write {this}, so nothing was removed: {fault.Message}", fault);
        }
    }

    public async Task<JsonObject?> FindAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonNode.Parse(TextFile.Read(path), documentOptions: JsonFields.Strict) as JsonObject
                ?? throw new WebhookSwitchException($"{this} does not contain a JSON object");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new WebhookSwitchException($"cannot read {this}: {fault.Message}", fault);
        }
    }

    /// <summary>The file belongs to the user and stays.</summary>
    public Task ForgetAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override string ToString() => path.Length > 0 ? $"file {path}" : "a file without a name";
}
