using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>
/// The chart's admission policy on an API server with such policies: of everything that the permission to patch Pods allows, the
/// ServiceAccount may only do what a scheduling gate needs.
/// </summary>
[TestFixture, NonParallelizable, NeedsServer, NeedsModernServer]
internal sealed class ChartFenceTests : IDisposable
{
    private const string Target = "down.example.com/library/nginx:1";
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private KubeApiServer _server = null!;
    private KubernetesClient _account = null!;
    private string _namespace = "";
    private int _count;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await ModernControlPlane.GetAsync();
        _namespace = await _server.CreateNamespaceAsync();
        var fence = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"), "--kube-version", "1.36.0"))
            .Where(item => ((string)item["kind"]!).StartsWith("ValidatingAdmissionPolicy", StringComparison.Ordinal))
            .Where(item => !ChartObjects.IsHook(item))
            .ToList();
        Assert.That(fence, Has.Count.EqualTo(2));
        foreach (var item in fence)
            await _server.KubectlWithInputAsync(item.ToJsonString(), "apply", "--validate=false", "-f", "-");
        var kubeconfig = _server.KubeconfigOf(KubeApiServer.AccountToken);
        _account = new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([kubeconfig], null), TimeProvider.System);
        await TestWait.UntilAsync(
            async () => await TryAsync(Replace("/metadata/labels/app", "other")) == HttpStatusCode.Forbidden,
            "the policy"
        );
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_server is null)
            return;
        await _server.KubectlAsync("delete", "validatingadmissionpolicybinding", "proxyswapper", "--ignore-not-found");
        await _server.KubectlAsync("delete", "validatingadmissionpolicy", "proxyswapper", "--ignore-not-found");
    }

    public void Dispose() => _account?.Dispose();

    [Test]
    public async Task Everything_a_gate_needs_is_allowed()
    {
        var lift = Remove("/spec/schedulingGates/0");
        var label = Remove("/metadata/labels/proxyswapper.io~1gated");
        Assert.That(await TryAsync(lift, label), Is.EqualTo(HttpStatusCode.OK), "lift");
        Assert.That(
            await TryAsync(
                lift,
                label,
                Replace("/spec/containers/0/image", "nginx:1"),
                Add("/metadata/annotations/proxyswapper.io~1left-original", "late"),
                Remove("/metadata/annotations/original-image.proxyswapper.io~1main")
            ),
            Is.EqualTo(HttpStatusCode.OK),
            "restore"
        );
        Assert.That(await TryAsync(lift, Replace("/spec/containers/0/image", $"{Target}@{Digest}")), Is.EqualTo(HttpStatusCode.OK), "pin");
    }

    /// <summary>The patches that the program itself builds, for a Pod with an init container and an image volume.</summary>
    [TestCase("lift", new[] { Target, "down.example.com/library/setup:1" })]
    [TestCase("restore", new[] { "nginx:1", "setup:1" })]
    [TestCase("pin", new[] { $"{Target}@{Digest}", $"down.example.com/library/setup:1@{Digest}" })]
    public async Task The_patches_of_the_program_are_allowed(string what, string[] images)
    {
        var name = $"pod{_count++}";
        var pod = Pod(name, isGated: true);
        var annotations = pod["metadata"]!["annotations"]!;
        annotations["original-image.proxyswapper.io/setup"] = "setup:1";
        annotations["original-image.volume.proxyswapper.io/data"] = "data:1";
        pod["spec"]!["initContainers"] = new JsonArray(
            new JsonObject { ["name"] = "setup", ["image"] = "down.example.com/library/setup:1" }
        );
        pod["spec"]!["volumes"] = new JsonArray(
            new JsonObject
            {
                ["name"] = "data",
                ["image"] = new JsonObject { ["reference"] = "down.example.com/library/data:1" },
            }
        );
        var created = await _server.Client.PostAsync($"/api/v1/namespaces/{_namespace}/pods", pod, default);
        var gated = GatedPod.Read(JsonSerializer.SerializeToElement(created))!;
        Assert.That(gated.Images, Has.Count.EqualTo(2), "an image volume cannot be changed");
        var changes = gated.Images.Select(image => (image, what == "restore" ? image.Original : $"{image.Image}@{Digest}")).ToList();
        var patch = GatePatch.Build(gated, what == "lift" ? [] : changes, what == "restore" ? "not downstream after 60 s" : null);

        await new PodClient(_account).PatchAsync(_namespace, name, patch, GateReleaser.FieldManager, default);

        var spec = (await _server.Client.GetAsync($"/api/v1/namespaces/{_namespace}/pods/{name}", default))!["spec"]!;
        Assert.That(new[] { (string?)spec["containers"]![0]!["image"], (string?)spec["initContainers"]![0]!["image"] }, Is.EqualTo(images));
        Assert.That(spec["schedulingGates"]!.AsArray().Select(gate => (string)gate!["name"]!), Is.EqualTo(["example.com/other"]));
    }

    [Test]
    public async Task Nothing_else_is_allowed()
    {
        (string What, JsonObject[] Patch)[] denied =
        [
            ("another's gate", [Remove("/spec/schedulingGates/1")]),
            ("another image", [Replace("/spec/containers/0/image", "evil:1")]),
            (
                "a forged original",
                [
                    Replace("/metadata/annotations/original-image.proxyswapper.io~1main", "evil:1"),
                    Replace("/spec/containers/0/image", "evil:1"),
                ]
            ),
            ("an original alone", [Replace("/metadata/annotations/original-image.proxyswapper.io~1main", "evil:1")]),
            ("a new original", [Add("/metadata/annotations/original-image.proxyswapper.io~1other", "evil:1")]),
            ("a label", [Replace("/metadata/labels/app", "other")]),
            ("a label's removal", [Remove("/metadata/labels/app")]),
            ("all labels", [Remove("/metadata/labels")]),
            ("an annotation", [Replace("/metadata/annotations/note", "other")]),
            ("all annotations", [Remove("/metadata/annotations")]),
            ("a finalizer", [AddNode("/metadata/finalizers", new JsonArray("example.com/x"))]),
            ("a node selector", [AddNode("/spec/nodeSelector", new JsonObject { ["disk"] = "ssd" })]),
            ("a toleration", [AddNode("/spec/tolerations", new JsonArray(new JsonObject { ["key"] = "x", ["operator"] = "Exists" }))]),
            ("a deadline", [AddNode("/spec/activeDeadlineSeconds", 5)]),
        ];
        foreach (var (what, patch) in denied)
            Assert.That(await TryAsync(patch), Is.EqualTo(HttpStatusCode.Forbidden), what);
        Assert.That(
            await TryAsync([Replace("/spec/containers/0/image", "nginx:1")], isGated: false),
            Is.EqualTo(HttpStatusCode.Forbidden),
            "the original of a Pod that is not gated: it would restart its container"
        );
    }

    [Test]
    public async Task The_account_of_the_uninstallation_releases_gated_pods_and_patches_nothing_else()
    {
        var name = await CreateAsync(isGated: true);
        var kubeconfig = _server.KubeconfigOf(KubeApiServer.UninstallToken);
        using var account = new KubernetesClient(new KubeconfigReader(TimeProvider.System).Read([kubeconfig], null), TimeProvider.System);
        var relabel = new JsonArray(Replace("/metadata/labels/app", "other"));
        var denied = Assert.ThrowsAsync<KubernetesException>(() =>
            new PodClient(account).PatchAsync(_namespace, name, relabel, "test", default)
        );
        Assert.That(denied!.Message, Does.Contain("only our own labels may change"));
        var result = await ProxySwapperProgram.RunAsync(["release", "--namespace", _namespace], ("KUBECONFIG", kubeconfig));
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
        var pod = (await _server.Client.GetAsync($"/api/v1/namespaces/{_namespace}/pods/{name}", default))!;
        Assert.That(GatesOf(pod), Is.EqualTo(["example.com/other"]));
        Assert.That((string?)pod["spec"]!["containers"]![0]!["image"], Is.EqualTo("nginx:1"));
    }

    [Test]
    public async Task The_command_in_the_readme_releases_gated_pods_with_kubectl_only()
    {
        var name = await CreateAsync(isGated: true);
        var readme = await File.ReadAllTextAsync(SourceTree.PathOf("README.md"));
        var start = readme.IndexOf("kubectl get pods -A -l proxyswapper.io/gated", StringComparison.Ordinal);
        var script = readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
        var kubectl = $"kubectl() {{ '{_server.Kubectl}' --kubeconfig '{_server.Kubeconfig}' \"$@\"; }}";
        var (exitCode, output, error) = await TestProcess.RunAsync("/bin/sh", ["-c", $"{kubectl}\n{script}"]);
        Assert.That(exitCode, Is.Zero, output + error);
        var pod = (await _server.Client.GetAsync($"/api/v1/namespaces/{_namespace}/pods/{name}", default))!;
        Assert.That(GatesOf(pod), Is.EqualTo(["example.com/other"]));
        Assert.That(pod["metadata"]!["labels"]!["proxyswapper.io/gated"], Is.Null);
    }

    private static IReadOnlyList<string> GatesOf(JsonObject pod) =>
        [.. (pod["spec"]!["schedulingGates"] as JsonArray ?? []).Select(gate => (string)gate!["name"]!)];

    private Task<HttpStatusCode?> TryAsync(params JsonObject[] patch) => TryAsync(patch, isGated: true);

    /// <summary>The API server's response when the account patches a new Pod.</summary>
    private async Task<HttpStatusCode?> TryAsync(JsonObject[] patch, bool isGated)
    {
        var name = await CreateAsync(isGated);
        try
        {
            await new PodClient(_account).PatchAsync(
                _namespace,
                name,
                new JsonArray([.. patch.Select(operation => operation.DeepClone())]),
                "test",
                default
            );
            return HttpStatusCode.OK;
        }
        catch (KubernetesException problem)
        {
            return problem.Status;
        }
    }

    private async Task<string> CreateAsync(bool isGated)
    {
        var name = $"pod{_count++}";
        await _server.Client.PostAsync($"/api/v1/namespaces/{_namespace}/pods", Pod(name, isGated), default);
        return name;
    }

    private static JsonObject Pod(string name, bool isGated)
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject { ["app"] = "web", ["proxyswapper.io/gated"] = "true" },
                ["annotations"] = new JsonObject { ["note"] = "mine", ["original-image.proxyswapper.io/main"] = "nginx:1" },
            },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = Target }) },
        };
        if (isGated)
            pod["spec"]!["schedulingGates"] = new JsonArray(
                new JsonObject { ["name"] = "proxyswapper.io/image" },
                new JsonObject { ["name"] = "example.com/other" }
            );
        return pod;
    }

    private static JsonObject Remove(string path) => new() { ["op"] = "remove", ["path"] = path };

    private static JsonObject Replace(string path, string value) =>
        new()
        {
            ["op"] = "replace",
            ["path"] = path,
            ["value"] = value,
        };

    private static JsonObject Add(string path, string value) => AddNode(path, value);

    private static JsonObject AddNode(string path, JsonNode value) =>
        new()
        {
            ["op"] = "add",
            ["path"] = path,
            ["value"] = value,
        };
}
