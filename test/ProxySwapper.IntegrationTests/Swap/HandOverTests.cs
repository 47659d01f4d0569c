using System.Text.Json.Nodes;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>
/// The steps of <c>docs/coming-from/k8s-proxy-image-swapper.md</c> and <c>k8s-image-swapper.md</c> at a real kube-apiserver, while Pods are
/// created. The old webhook is another process, which sends images to the same place.
/// </summary>
[TestFixture, NonParallelizable, NeedsServer]
internal sealed class HandOverTests
{
    private const string OldName = WebhookRegistration.Name;

    /// <summary>The configuration of k8s-image-swapper's chart.</summary>
    private const string OtherName = "k8s-image-swapper-webhook";

    private static readonly ManualPage Page = PageOf("k8s-proxy-image-swapper.md");

    private static readonly string NewName = (string)YamlObjects.Read(Page.Files("values.yaml").Single())[0]["webhook"]!["name"]!;

    private readonly List<string> _images = [];
    private KubeApiServer _cluster = null!;
    private string _namespace = "";

    [SetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _namespace = await _cluster.CreateNamespaceAsync();
        _images.Clear();
    }

    [TearDown]
    public async Task StopAsync() =>
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", OldName, NewName, OtherName, "--ignore-not-found");

    [Test]
    public async Task Every_Pod_is_swapped_once_while_the_new_release_takes_over()
    {
        const string Configuration = "proxyUrl: proxy.example.com\npopulate: {policy: none}";
        await using var old = await StartAsync("old", Configuration);
        await using var release = await StartAsync("new", Configuration);
        await RegisterAsync(old, OldName);
        await UntilReviewedAsync(old);

        using var stop = new CancellationTokenSource();
        var creating = CreatePodsAsync(stop.Token);
        // Beside the old one, with the name of the values on the page.
        await RegisterAsync(release, NewName);
        await UntilReviewedAsync(release);
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", OldName);
        await UntilCreatedAsync(5);
        // The page's copy, and the upgrade, which deletes the configuration with the other name.
        await RunAsync(Page.Blocks.Single(block => block.Language == "sh").Text);
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", NewName);
        await UntilCreatedAsync(5);
        await stop.CancelAsync();
        await creating;
        Assert.That(_images, Has.Count.GreaterThan(10).And.All.EqualTo("proxy.example.com/library/nginx:1"));
    }

    /// <summary>
    /// The target of the page's rule, which is where k8s-image-swapper puts images. It stands for copies that are there: what is missing
    /// waits for none of them with <c>exists</c>.
    /// </summary>
    [Test]
    public async Task Every_Pod_is_swapped_once_while_k8s_image_swapper_is_replaced()
    {
        var page = YamlObjects.Read(PageOf("k8s-image-swapper.md").Files("config.yaml").Single())[0];
        var target = (string)page["rules"]![0]!["target"]!;
        var configuration = $"rules: [{{match: '**', target: '{target}'}}]\npopulate: {{policy: none}}";
        await using var old = await StartAsync("old", configuration);
        await using var release = await StartAsync("new", configuration);
        await RegisterAsync(old, OtherName);
        await UntilReviewedAsync(old);

        using var stop = new CancellationTokenSource();
        var creating = CreatePodsAsync(stop.Token);
        await RegisterAsync(release, WebhookRegistration.Name);
        await UntilReviewedAsync(release);
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", OtherName);
        await UntilCreatedAsync(5);
        await stop.CancelAsync();
        await creating;
        var expected = $"{target.Replace("{registry}", "docker.io", StringComparison.Ordinal)}/library/nginx:1";
        Assert.That(_images, Has.Count.GreaterThan(5).And.All.EqualTo(expected));
    }

    private async Task RunAsync(string commands)
    {
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-ec", $"kubectl() {{ {_cluster.Kubectl} \"$@\"; }}\n{commands}"],
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig }
        );
        Assert.That(exitCode, Is.Zero, output + error);
    }

    private static ManualPage PageOf(string name) => ManualPage.All.Single(page => page.Path == Path.Combine("docs", "coming-from", name));

    private Task<ProxySwapperProcess> StartAsync(string name, string configuration) =>
        ProxySwapperProcess.StartAsync(
            configuration,
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig, ["POD_NAME"] = name }
        );

    private Task<string> RegisterAsync(ProxySwapperProcess webhook, string name) =>
        _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(webhook, _namespace, name: name), "apply", "-f", "-");

    /// <summary>The API server takes a moment to call a new webhook.</summary>
    private Task UntilReviewedAsync(ProxySwapperProcess webhook) =>
        TestWait.UntilAsync(
            async () =>
            {
                await CreateAsync(isDryRun: true);
                var metrics = PrometheusText.Parse(await webhook.Management.GetStringAsync("/metrics"));
                return metrics
                        .Where(pair => pair.Key.StartsWith("proxyswapper_admissions_total", StringComparison.Ordinal))
                        .Sum(pair => pair.Value) > 0;
            },
            "the webhook's first call"
        );

    private async Task CreatePodsAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var image = await CreateAsync(isDryRun: false);
            lock (_images)
                _images.Add(image);
        }
    }

    private Task UntilCreatedAsync(int more)
    {
        var wanted = Count() + more;
        return TestWait.UntilAsync(() => Count() >= wanted, "more Pods");
    }

    private int Count()
    {
        lock (_images)
            return _images.Count;
    }

    private async Task<string> CreateAsync(bool isDryRun)
    {
        var pod = await _cluster.KubectlWithInputAsync(
            """
            {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"web","image":"nginx:1"}]}}
            """,
            "-n",
            _namespace,
            "create",
            "-f",
            "-",
            isDryRun ? "--dry-run=server" : "--dry-run=none",
            "-o",
            "json"
        );
        return (string)JsonNode.Parse(pod)!["spec"]!["containers"]![0]!["image"]!;
    }
}
