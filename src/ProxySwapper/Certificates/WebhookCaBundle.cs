using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Certificates;

/// <summary>
/// Keeps <c>clientConfig.caBundle</c> of our webhook configuration in step with the authorities that sign our certificate.
/// </summary>
internal sealed class WebhookCaBundle(KubernetesClient client, string webhookName)
{
    private readonly ResourceClient _configurations = new(client, ResourceType.MutatingWebhookConfigurations);

    /// <summary>Writes the authorities where they are missing.</summary>
    /// <param name="authorities">PEM.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False if the configuration does not exist: it was disabled or is not installed yet.</returns>
    /// <exception cref="KubernetesException">The API server returned an error or did not respond.</exception>
    public async Task<bool> PublishAsync(string authorities, CancellationToken cancellationToken)
    {
        if (await _configurations.GetAsync(null, webhookName, cancellationToken) is not { } found)
            return false;
        var wanted = Convert.ToBase64String(Encoding.UTF8.GetBytes(authorities));
        var patch = new JsonArray();
        foreach (var (index, webhook) in found["webhooks"]?.AsArray().Index() ?? [])
        {
            if (webhook.Text("clientConfig", "caBundle") == wanted)
                continue;
            // The test of the name makes sure that a concurrent reordering does not give another webhook our authorities.
            patch.Add((JsonNode)Operation("test", $"/webhooks/{index}/name", webhook.Text("name") ?? ""));
            patch.Add((JsonNode)Operation("add", $"/webhooks/{index}/clientConfig/caBundle", wanted));
        }
        if (patch.Count == 0)
            return true;
        try
        {
            await _configurations.PatchAsync(null, webhookName, PatchKind.Json, patch, cancellationToken);
        }
        catch (KubernetesException problem) when (problem.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
        return true;
    }

    private static JsonObject Operation(string operation, string path, string value) =>
        new JsonObject
        {
            ["op"] = operation,
            ["path"] = path,
            ["value"] = value,
        };
}
