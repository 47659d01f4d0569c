using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>The built program as the webhook of one namespace of a real kube-apiserver, with population.</summary>
internal sealed class PopulationScene : IAsyncDisposable
{
    private readonly string _configuration;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string _webhookName = $"populate-{Guid.NewGuid():n}";

    private PopulationScene(
        KubeApiServer cluster,
        ProxySwapperProcess webhook,
        string @namespace,
        string configuration,
        IReadOnlyDictionary<string, string> environment
    ) => (Cluster, Webhook, Namespace, _configuration, _environment) = (cluster, webhook, @namespace, configuration, environment);

    public KubeApiServer Cluster { get; }

    public ProxySwapperProcess Webhook { get; private set; }

    public string Namespace { get; }

    /// <summary>Starts the program and waits until the API server calls it.</summary>
    /// <param name="configuration">YAML without ports and certificates.</param>
    /// <param name="environment">Variables besides KUBECONFIG.</param>
    public static async Task<PopulationScene> StartAsync(string configuration, params (string Name, string Value)[] environment)
    {
        var cluster = await ControlPlane.GetAsync();
        var variables = environment.Append(("KUBECONFIG", cluster.Kubeconfig)).ToDictionary(pair => pair.Item1, pair => pair.Item2);
        var webhook = await ProxySwapperProcess.StartAsync(configuration, variables);
        var scene = new PopulationScene(cluster, webhook, await cluster.CreateNamespaceAsync(), configuration, variables);
        await cluster.KubectlWithInputAsync(
            WebhookRegistration.Manifest(webhook, scene.Namespace, name: scene._webhookName),
            "apply",
            "-f",
            "-"
        );
        var before = await AdmissionsAsync(webhook);
        await TestWait.UntilAsync(
            async () =>
            {
                await scene.CreatePodAsync("probe", "example.invalid/x:1", "--dry-run=server");
                return await AdmissionsAsync(webhook) > before;
            },
            "the webhook's first call"
        );
        return scene;
    }

    /// <summary>Creates a Pod with one container.</summary>
    /// <returns>The Pod as it was admitted.</returns>
    public async Task<JsonNode> CreatePodAsync(string name, string image, params string[] arguments) =>
        await CreatePodOfAsync(
            $$"""{"metadata":{"name":"{{name}}"},"spec":{"containers":[{"name":"main","image":"{{image}}"}]} }""",
            arguments
        );

    public async Task<JsonNode> CreatePodOfAsync(string pod, params string[] arguments)
    {
        var whole = JsonNode.Parse(pod)!;
        (whole["apiVersion"], whole["kind"]) = ("v1", "Pod");
        return JsonNode.Parse(
            await Cluster.KubectlWithInputAsync(whole.ToJsonString(), ["-n", Namespace, "create", "-o", "json", "-f", "-", .. arguments])
        )!;
    }

    public static string ImageOf(JsonNode pod) => (string)pod["spec"]!["containers"]![0]!["image"]!;

    /// <summary>The response of <c>GET /populate</c>.</summary>
    public async Task<JsonNode> PopulateAsync() =>
        JsonNode.Parse(await Webhook.Management.GetStringAsync(new Uri("/populate", UriKind.Relative)))!;

    /// <summary>The number of jobs in a list of <c>GET /populate</c>.</summary>
    public async Task<int> CountAsync(string list) => (await PopulateAsync())[list]!.AsArray().Count;

    public Task<string> MetricsAsync() => Webhook.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative));

    /// <summary>Restarts the program on the same ports.</summary>
    public async Task StartAgainAsync()
    {
        var port = Webhook.Port;
        await Webhook.DisposeAsync();
        Webhook = await ProxySwapperProcess.StartAsync(_configuration, _environment, port);
    }

    private static async Task<double> AdmissionsAsync(ProxySwapperProcess webhook) =>
        PrometheusText
            .Parse(await webhook.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative)))
            .Where(series => series.Key.StartsWith("proxyswapper_admissions_total", StringComparison.Ordinal))
            .Sum(series => series.Value);

    public async ValueTask DisposeAsync()
    {
        await Cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _webhookName, "--ignore-not-found");
        await Cluster.KubectlAsync("-n", Namespace, "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false");
        await Webhook.DisposeAsync();
    }
}
