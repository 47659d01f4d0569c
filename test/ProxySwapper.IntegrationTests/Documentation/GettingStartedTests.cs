using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>
/// <c>docs/getting-started.md</c>, line by line on a real kube-apiserver: the newest available, since old ones have no scheduling gates.
/// Commands that need a node or Docker are skipped by name. The program runs on this machine, with the chart's configuration; proxies
/// lead it to a Docker Hub and a registry in this process.
/// </summary>
[TestFixture, NonParallelizable, NeedsServer]
internal sealed class GettingStartedTests : IAsyncDisposable
{
    private static readonly string[] LeftOut =
    [
        "curl -sSfL https://github.com/",
        "sudo install ",
        "kind create cluster",
        "docker run ",
        "docker exec ",
        "echo '[host.",
        "echo '127.0.0.1 registry' | sudo tee ",
        "kubectl -n proxyswapper rollout status ",
    ];

    private static readonly ManualPage Page = ManualPage.All.Single(page => page.Path == Path.Combine("docs", "getting-started.md"));

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _leftOut = [];
    private readonly TestCertificates _certificates = new();
    private readonly TaskCompletionSource _hubIsOpen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TestImage _nginx = TestImage.Create(401);
    private KubeApiServer _cluster = null!;
    private bool _hasGates;
    private InMemoryRegistry _hub = null!;
    private InMemoryRegistry _registry = null!;
    private ForwardProxy _hubProxy = null!;
    private ForwardProxy _registryProxy = null!;
    private ProxySwapperProcess? _webhook;
    private string _release = "";
    private string _namespace = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var modern = await ModernControlPlane.FindAsync();
        (_cluster, _hasGates) = (modern ?? await ControlPlane.GetAsync(), modern is not null);
        (_release, _namespace) = (await _cluster.CreateNamespaceAsync(), await _cluster.CreateNamespaceAsync());
        _hub = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Certificate = _certificates.IssueServer("registry-1.docker.io"),
                Interceptor = async (context, next) =>
                {
                    await _hubIsOpen.Task.WaitAsync(context.RequestAborted);
                    await next(context);
                },
            }
        );
        _nginx.AddTo(_hub, "library/nginx", "1.27");
        _registry = await InMemoryRegistry.StartAsync();
        (_hubProxy, _registryProxy) = (new ForwardProxy(_hub.Address), new ForwardProxy(_registry.Address));
        await File.WriteAllTextAsync(
            Path.Combine(Directory.CreateDirectory(_folder.PathOf("ca")).FullName, "ca.crt"),
            _certificates.AuthorityPem
        );
    }

    public async ValueTask DisposeAsync()
    {
        _hubIsOpen.TrySetResult();
        if (_webhook is not null)
            await _webhook.DisposeAsync();
        await _hubProxy.DisposeAsync();
        await _registryProxy.DisposeAsync();
        await _hub.DisposeAsync();
        await _registry.DisposeAsync();
        _certificates.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Every_step_does_what_the_page_says()
    {
        // Installed by other tests on this API server.
        await _cluster.KubectlAsync("delete", "configmap", "--all-namespaces", "-l", "proxyswapper.io/webhook");
        try
        {
            var blocks = Page.Blocks.Where(block => block.Language is "sh" or "text").ToList();
            foreach (var (index, (_, commands)) in blocks.Index().Where(block => block.Item.Language == "sh"))
            {
                var (output, leftOut) = (new StringBuilder(), _leftOut.Count);
                foreach (var line in ManualPage.LinesOf(commands))
                {
                    output.Append(await RunAsync(line));
                    if (line.StartsWith("kubectl run web ", StringComparison.Ordinal))
                        await WatchTheGateAndTheCopyAsync();
                }
                // The download is silent.
                if (index > 0)
                    Assert.That(blocks[index + 1].Language, Is.EqualTo("text"), $"the output of {commands}");
                if (leftOut == _leftOut.Count)
                    Assert.That(output.ToString(), Does.Match(PatternOf(blocks[index + 1].Text)), commands);
            }
            Assert.That(_leftOut, Has.Count.EqualTo(LeftOut.Length));
        }
        finally
        {
            var kinds = "mutatingwebhookconfiguration,clusterrole,clusterrolebinding";
            await _cluster.KubectlAsync(
                "delete",
                _hasGates ? $"{kinds},validatingadmissionpolicy,validatingadmissionpolicybinding" : kinds,
                "-l",
                "app.kubernetes.io/instance=proxyswapper",
                "--ignore-not-found"
            );
        }
    }

    /// <summary>An output as the page shows it, where a line with an ellipsis stands for any lines.</summary>
    private static string PatternOf(string shown)
    {
        var lines = Regex.Escape(shown).Replace("…\\n", "(?:.*\n)*", StringComparison.Ordinal);
        return $"\\A{lines}\\z";
    }

    /// <summary>The Pod waits behind its gate until the image is copied.</summary>
    private async Task WatchTheGateAndTheCopyAsync()
    {
        Assert.That(_registry.Repository("hub/library/nginx").Tags, Is.Empty);
        // Not the status SchedulingGated, which the API server of the tests does not set.
        if (_hasGates)
            Assert.That(await GatesAsync(), Is.EqualTo("proxyswapper.io/image"));
        _hubIsOpen.SetResult();
        await TestWait.UntilAsync(() => _registry.Repository("hub/library/nginx").Tags.ContainsKey("1.27"), "the copy");
        Assert.That(_registry.Repository("hub/library/nginx").Tags["1.27"], Is.EqualTo(_nginx.Top.Digest));
        await TestWait.UntilAsync(async () => await GatesAsync() == "", "the gate's removal");
    }

    private Task<string> GatesAsync() =>
        _cluster.KubectlAsync("-n", _namespace, "get", "pod", "web", "-o", "jsonpath={.spec.schedulingGates[*].name}");

    /// <summary>Environment of the program and of the page's commands.</summary>
    private Dictionary<string, string> Variables
    {
        get
        {
            (string Name, string Value)[] proxies =
            [
                ("HTTPS_PROXY", _hubProxy.Url),
                ("HTTP_PROXY", _registryProxy.Url),
                ("NO_PROXY", "localhost,127.0.0.1"),
            ];
            return new Dictionary<string, string>(
                proxies
                    .Concat(proxies.Select(proxy => (proxy.Name.ToLowerInvariant(), proxy.Value)))
                    .Select(proxy => KeyValuePair.Create(proxy.Item1, proxy.Item2))
            )
            {
                ["KUBECONFIG"] = _cluster.Kubeconfig,
                ["HOME"] = _folder.PathOf("home"),
                ["SSL_CERT_DIR"] = $"/etc/ssl/certs:{_folder.PathOf("ca")}",
            };
        }
    }

    private async Task<string> RunAsync(string line)
    {
        if (LeftOut.Any(prefix => line.StartsWith(prefix, StringComparison.Ordinal)))
        {
            _leftOut.Add(line);
            return "";
        }
        if (line.StartsWith("helm install ", StringComparison.Ordinal))
        {
            Assert.That(
                line,
                Does.Match(
                    "^helm install proxyswapper oci://[^ ]+ --version [0-9.]+ +--namespace proxyswapper --create-namespace -f values.yaml$"
                )
            );
            return await InstallAsync();
        }
        // The namespace of this test stands for the page's.
        line = line.Replace(" -n default", $" -n {_namespace}", StringComparison.Ordinal);
        var (program, arguments) = ProxySwapperProgram.CommandOf([]);
        var functions =
            $"kubectl() {{ {_cluster.Kubectl} --namespace {_namespace} \"$@\"; }}\n"
            + $"proxyswapper() {{ {program} {string.Join(' ', arguments)} \"$@\"; }}\nset -eu\n";
        var (exitCode, output, error) = await TestProcess.RunAsync("bash", ["-c", functions + line], Variables);
        Assert.That(exitCode, Is.Zero, $"{line}\n{output}{error}");
        return output.Replace(_namespace, "default", StringComparison.Ordinal);
    }

    /// <summary>Does what <c>helm install</c> and a node do: the program runs and can be reached.</summary>
    /// <returns>What helm prints.</returns>
    private async Task<string> InstallAsync()
    {
        var values = _folder.PathOf("values.yaml");
        await File.WriteAllTextAsync(values, Page.Files("values.yaml").Single());
        var objects = await HelmChart.ObjectsAsync(values, "-n", _release);
        var config = (string)
            objects.Single(item => (string?)item["kind"] == "ConfigMap" && item["data"]!["config.yaml"] is not null)["data"]![
                "config.yaml"
            ]!;
        _webhook = await ProxySwapperProcess.StartAsync(config, Variables);
        foreach (var webhook in objects.Single(item => (string?)item["kind"] == "MutatingWebhookConfiguration")["webhooks"]!.AsArray())
        {
            webhook!["clientConfig"] = new JsonObject
            {
                ["url"] = $"https://localhost:{_webhook.Port}/mutate",
                ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(_webhook.Certificates.AuthorityPem)),
            };
            // Only the Pods of this test.
            webhook["namespaceSelector"] = new JsonObject
            {
                ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = _namespace },
            };
        }
        var versions = (await _cluster.KubectlAsync("api-versions")).Split('\n').ToHashSet();
        JsonNode?[] known = [.. objects.Where(item => !ChartObjects.IsHook(item) && OlderKubernetes.TryConvert(item, versions))];
        var list = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = new JsonArray(known),
        };
        await _cluster.KubectlWithInputAsync(list.ToJsonString(), "apply", "-f", "-");
        await TestWait.UntilAsync(
            async () =>
                (
                    await _cluster.KubectlAsync(
                        "-n",
                        _namespace,
                        "run",
                        "probe",
                        "--image=nginx",
                        "--dry-run=server",
                        "-o",
                        "jsonpath={.spec.containers[0].image}"
                    )
                ) != "nginx",
            "the webhook's first call"
        );
        return await HelmChart.NotesAsync(values);
    }
}
