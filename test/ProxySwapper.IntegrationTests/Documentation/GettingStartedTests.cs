using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Documentation;

/// <summary>
/// <c>docs/getting-started.md</c>, line by line on a real kube-apiserver. Commands that need a node or Docker are skipped by name; the
/// program runs on this machine, with the chart's configuration.
/// </summary>
[TestFixture, NeedsServer]
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
        "kubectl -n proxyswapper rollout status ",
    ];

    private static readonly ManualPage Page = ManualPage.All.Single(page => page.Path == Path.Combine("docs", "getting-started.md"));

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _leftOut = [];
    private KubeApiServer _cluster = null!;
    private ProxySwapperProcess? _webhook;
    private string _release = "";
    private string _namespace = "";

    public async ValueTask DisposeAsync()
    {
        if (_webhook is not null)
            await _webhook.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Every_step_does_what_the_page_says()
    {
        _cluster = await ControlPlane.GetAsync();
        (_release, _namespace) = (await _cluster.CreateNamespaceAsync(), await _cluster.CreateNamespaceAsync());
        // Installed by other tests on this API server.
        await _cluster.KubectlAsync("delete", "configmap", "--all-namespaces", "-l", "proxyswapper.io/webhook");
        try
        {
            var outputs = new List<string>();
            foreach (var line in Page.ShellLines)
                outputs.Add(await RunAsync(line));
            var printed = outputs[^1];
            // The page's output of the two commands that create and show a Pod.
            Assert.That(string.Concat(outputs[^3..^1]), Is.EqualTo("pod/web created\nregistry:5000/hub/library/nginx:1.27\n"));
            Assert.That(
                Page.Blocks.Where(block => block.Language == "text").Select(block => block.Text),
                Has.Member(string.Concat(outputs[^3..^1]))
            );
            Assert.That(printed, Does.Contain("docker.io/library/nginx:1.27"), "the report is the last step");
            Assert.That(_leftOut, Has.Count.EqualTo(LeftOut.Length));
        }
        finally
        {
            await _cluster.KubectlAsync(
                "delete",
                "mutatingwebhookconfiguration",
                "-l",
                "app.kubernetes.io/instance=proxyswapper",
                "--ignore-not-found"
            );
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
            await InstallAsync();
            return "";
        }
        var (program, arguments) = ProxySwapperProgram.CommandOf([]);
        var functions =
            $"kubectl() {{ {_cluster.Kubectl} --namespace {_namespace} \"$@\"; }}\n"
            + $"proxyswapper() {{ {program} {string.Join(' ', arguments)} \"$@\"; }}\nset -eu\n";
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-c", functions + line],
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig, ["HOME"] = _folder.PathOf("home") }
        );
        Assert.That(exitCode, Is.Zero, $"{line}\n{output}{error}");
        return output;
    }

    /// <summary>Does what <c>helm install</c> and a node do: the program runs and can be reached.</summary>
    private async Task InstallAsync()
    {
        var values = _folder.PathOf("values.yaml");
        await File.WriteAllTextAsync(values, Page.Files("values.yaml").Single());
        var objects = await HelmChart.ObjectsAsync(values, "-n", _release);
        var config = (string)
            objects.Single(item => (string?)item["kind"] == "ConfigMap" && item["data"]!["config.yaml"] is not null)["data"]![
                "config.yaml"
            ]!;
        _webhook = await ProxySwapperProcess.StartAsync(config);
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
    }
}
