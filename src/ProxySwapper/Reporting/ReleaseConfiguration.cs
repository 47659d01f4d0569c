using System.Text.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;

namespace ProxySwapper.Reporting;

/// <summary>The configuration of the release in the cluster, from the ConfigMap with the webhook's label.</summary>
internal static class ReleaseConfiguration
{
    private const string Label = "proxyswapper.io/webhook";
    private const string Key = "config.yaml";

    /// <summary>Reads the options; null if there is no such ConfigMap.</summary>
    /// <exception cref="KubernetesException">ConfigMaps may not be listed.</exception>
    /// <exception cref="ConfigurationException">It is not valid, or there are several.</exception>
    public static async Task<ProxySwapperOptions?> FindAsync(
        KubernetesClient client,
        string webhookName,
        CancellationToken cancellationToken
    )
    {
        var query = new ResourceQuery(ResourceType.ConfigMaps) { LabelSelector = $"{Label}={webhookName}" };
        var found = new List<(string Place, string Text)>();
        await foreach (var place in new ResourceLister(client).ListAsync(query, Read, cancellationToken))
            if (place is { } one)
                found.Add(one);
        if (found.Count > 1)
            throw new ConfigurationException([
                new(
                    "(no configuration)",
                    0,
                    0,
                    "",
                    $"several releases use the webhook {webhookName}: {string.Join(", ", found.Select(one => one.Place))}; "
                        + "use --config FILE or set PROXY_URL"
                ),
            ]);
        return found is [var (name, text)] ? ConfigurationReader.ReadText(name, text, EnvironmentVariables.None) : null;
    }

    private static (string Place, string Text)? Read(JsonElement item)
    {
        var metadata = item.Member("metadata");
        return item.Text("data", Key) is { } text ? ($"ConfigMap {metadata.Text("namespace")}/{metadata.Text("name")}", text) : null;
    }
}
