using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>
/// The chart's files for one upstream of a cache, with addresses and folders of this machine and everything else as rendered.
/// </summary>
internal sealed class RenderedCache : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private RenderedCache() { }

    public int Port { get; } = TestProcess.FreePort();

    public int MetricsPort { get; } = TestProcess.FreePort();

    public int CredentialPort { get; } = TestProcess.FreePort();

    public int ManagementPort { get; } = TestProcess.FreePort();

    /// <summary>Distribution's configuration.</summary>
    public string ConfigurationFile => _folder.PathOf("config.yml");

    /// <summary>The sidecar's configuration.</summary>
    public string CredentialsFile => _folder.PathOf("credentials.yaml");

    /// <summary>The script of Distribution's <c>proxy.exec.command</c>.</summary>
    public string Helper => _folder.PathOf("helper");

    /// <summary>Distribution's variables; folders of private authorities are below <see cref="FolderOf"/>.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <param name="upstreamName">The upstream's name in the value set.</param>
    /// <param name="upstream">Host and port of the registry that stands in for it.</param>
    /// <param name="valueSet">The value set.</param>
    /// <param name="scheme">How that registry is reached.</param>
    public static async Task<RenderedCache> CreateAsync(
        string upstreamName,
        string upstream,
        string valueSet = "cache-node-port",
        string scheme = "http"
    )
    {
        var objects = await HelmChart.ObjectsAsync(HelmChart.ValueSet(valueSet));
        var data = objects.Single(item =>
            (string?)item["kind"] == "ConfigMap" && (string?)item["metadata"]!["name"] == $"{HelmChart.Release}-cache-{upstreamName}"
        )["data"]!.AsObject();
        var cache = new RenderedCache();
        var configuration = (string)data["config.yml"]!;
        var remote = (string)YamlObjects.Read(configuration)[0]["proxy"]!["remoteurl"]!;
        await File.WriteAllTextAsync(
            cache.ConfigurationFile,
            configuration
                .Replace(":5000", $"127.0.0.1:{cache.Port}", StringComparison.Ordinal)
                .Replace(":5001", $"127.0.0.1:{cache.MetricsPort}", StringComparison.Ordinal)
                .Replace("/var/lib/registry", cache._folder.PathOf("storage"), StringComparison.Ordinal)
                .Replace("/auth/htpasswd", cache._folder.PathOf("htpasswd"), StringComparison.Ordinal)
                .Replace("/credential/helper", cache.Helper, StringComparison.Ordinal)
                .Replace(remote, $"{scheme}://{upstream}", StringComparison.Ordinal)
        );
        cache.ReadEnvironment(objects, $"{HelmChart.Release}-cache-{upstreamName}");
        if (HtpasswdOf(objects) is { } htpasswd)
            await File.WriteAllTextAsync(cache._folder.PathOf("htpasswd"), htpasswd + "\n");
        if (data["credentials.yaml"] is { } credentials)
        {
            await File.WriteAllTextAsync(
                cache.CredentialsFile,
                ((string)credentials!).Replace(new Uri(remote).Authority, upstream, StringComparison.Ordinal)
                    + $"\nmanagementPort: {cache.ManagementPort}\n"
            );
            await File.WriteAllTextAsync(
                cache.Helper,
                ((string)data["credential-helper"]!).Replace(":5002", $":{cache.CredentialPort}", StringComparison.Ordinal)
            );
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(cache.Helper, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        return cache;
    }

    /// <summary>The folder that stands in for a mount of the container.</summary>
    public string FolderOf(string mountPath) => Directory.CreateDirectory(_folder.PathOf(mountPath.Trim('/').Replace('/', '-'))).FullName;

    public void Dispose() => _folder.Dispose();

    private void ReadEnvironment(IEnumerable<JsonObject> objects, string workload)
    {
        var container = objects.Single(item =>
            (string?)item["kind"] is "Deployment" or "DaemonSet" && (string?)item["metadata"]!["name"] == workload
        )["spec"]!["template"]!["spec"]!["containers"]![0]!;
        foreach (var variable in container["env"]!.AsArray().Where(variable => variable!["value"] is not null))
        {
            var value = (string)variable!["value"]!;
            foreach (var mount in container["volumeMounts"]!.AsArray().Select(mount => (string)mount!["mountPath"]!))
                value = value.Replace(mount, FolderOf(mount), StringComparison.Ordinal);
            Environment[(string)variable["name"]!] = value;
        }
    }

    private static string? HtpasswdOf(IEnumerable<JsonObject> objects) =>
        (string?)
            objects
                .SingleOrDefault(item => (string?)item["kind"] == "Secret" && item["stringData"]?["htpasswd"] is not null)
                ?["stringData"]!["htpasswd"];
}
