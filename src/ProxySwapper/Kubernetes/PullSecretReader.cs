using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes;

/// <summary>
/// Reads the pull secrets of one Pod by name, for one copy; nothing is cached. Like kubelet, it skips secrets that are missing or of
/// another type, since the image may be accessible without them.
/// </summary>
internal sealed class PullSecretReader(KubernetesClient client)
{
    /// <summary>The names of a service account's own pull secrets, which the API server adds to Pods without any.</summary>
    public async Task<IReadOnlyList<string>> NamesOfAccountAsync(string @namespace, string account, CancellationToken cancellationToken)
    {
        var found = await client.GetAsync(ResourceType.ServiceAccounts.ObjectPath(@namespace, account), cancellationToken);
        return found?["imagePullSecrets"] is JsonArray names
            ? [.. names.Select(entry => entry.Text("name")).OfType<string>().Where(name => name.Length > 0)]
            : [];
    }

    /// <summary>A secret's Docker configuration as JSON, in the format of <c>config.json</c>; null if it has none.</summary>
    public async Task<string?> DockerConfigAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        var secret = await client.GetAsync(ResourceType.Secrets.ObjectPath(@namespace, name), cancellationToken);
        return secret.Text("type") switch
        {
            "kubernetes.io/dockerconfigjson" => Data(secret, ".dockerconfigjson"),
            // The format before Docker 1.7: hosts are at the top level.
            "kubernetes.io/dockercfg" when Data(secret, ".dockercfg") is { } hosts => $"{{\"auths\":{hosts}}}",
            _ => null,
        };
    }

    private static string? Data(JsonObject? secret, string key)
    {
        try
        {
            return secret.Text("data", key) is { } base64 ? Encoding.UTF8.GetString(Convert.FromBase64String(base64)) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
