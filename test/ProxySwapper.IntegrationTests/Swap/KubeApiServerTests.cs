using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The built program as the webhook of a real kube-apiserver.</summary>
[TestFixture, NeedsServer]
internal sealed class KubeApiServerTests
{
    private const string Proxy = "registry.example.com/library/";

    private readonly string _name = $"swap-{Guid.NewGuid():n}";
    private KubeApiServer _cluster = null!;
    private ProxySwapperProcess _webhook = null!;
    private string _namespace = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _webhook = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com");
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _webhook.DisposeAsync();

    [SetUp]
    public async Task RegisterAsync()
    {
        _namespace = await _cluster.CreateNamespaceAsync();
        await ApplyAsync(WebhookRegistration.Manifest(_webhook, _namespace, name: _name));
        // The API server reads its webhook configurations in the background.
        await TestWait.UntilAsync(
            async () =>
                (
                    await CreateAsync(
                        """{"metadata":{"generateName":"probe-"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""",
                        "--dry-run=server"
                    )
                )["spec"]!["containers"]![0]!["image"]!.ToString() != "nginx",
            "the webhook's first call"
        );
    }

    [TearDown]
    public async Task UnregisterAsync() =>
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _name, "--ignore-not-found");

    [TestCase("""{"name":"plain"}""", TestName = "A_pod_without_labels_is_patched")]
    [TestCase("""{"name":"labelled","labels":{"app":"web"}}""", TestName = "A_pod_with_labels_is_patched")]
    [TestCase(
        """{"name":"annotated","labels":{},"annotations":{"a":"b"}}""",
        TestName = "A_pod_with_empty_labels_and_annotations_is_patched"
    )]
    [TestCase(
        """{"generateName":"web-6d4cf56db6-","labels":{"pod-template-hash":"6d4cf56db6"},"ownerReferences":"""
            + """[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-6d4cf56db6","""
            + """ "uid":"d9607e19-f88f-11e6-a518-42010a800195","controller":true}]}""",
        TestName = "A_pod_as_a_replica_set_makes_it_is_patched"
    )]
    public async Task A_pod_is_patched(string metadata)
    {
        var pod = await CreateAsync(
            $$"""{"metadata":{{metadata}},"spec":{"initContainers":[{"name":"init","image":"busybox:1"}],"containers":"""
                + $$"""[{"name":"web","image":"nginx"},{"name":"other","image":"quay.io/a/b:1"}]} }"""
        );
        Assert.Multiple(() =>
        {
            Assert.That(ImagesOf(pod, "initContainers"), Is.EqualTo(new[] { $"{Proxy}busybox:1" }));
            Assert.That(ImagesOf(pod, "containers"), Is.EqualTo(new[] { $"{Proxy}nginx:latest", "quay.io/a/b:1" }));
            Assert.That(pod["metadata"]!["labels"]!["k8s-proxy-image-swapper"]!.ToString(), Is.EqualTo("patched-image"));
            Assert.That(pod["metadata"]!["annotations"]!["original-image.proxyswapper.io/web"]!.ToString(), Is.EqualTo("nginx"));
        });
    }

    [Test]
    public async Task An_update_rewrites_the_image_that_changed_and_no_other()
    {
        // Created before the webhook was registered: with its original images.
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _name);
        await TestWait.UntilAsync(
            async () =>
                ImagesOf(
                    await CreateAsync(
                        """{"metadata":{"generateName":"probe-"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}""",
                        "--dry-run=server"
                    ),
                    "containers"
                )[0] == "nginx",
            "the webhook's absence"
        );
        await CreateAsync(
            """{"metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":"nginx:1"},{"name":"b","image":"redis:7"}]}}"""
        );
        await RegisterAgainAsync("Ignore");
        var labelled = await PatchAsync("""{"metadata":{"labels":{"new":"label"}}}""");
        var changed = await PatchAsync("""{"spec":{"containers":[{"name":"a","image":"nginx:2"}]}}""");
        Assert.That(ImagesOf(labelled, "containers"), Is.EqualTo(new[] { "nginx:1", "redis:7" }));
        Assert.That(ImagesOf(changed, "containers"), Is.EqualTo(new[] { $"{Proxy}nginx:2", "redis:7" }));
    }

    [Test]
    public async Task An_ephemeral_container_is_rewritten_through_its_subresource()
    {
        await CreateAsync("""{"metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""");
        var path = $"/api/v1/namespaces/{_namespace}/pods/web/ephemeralcontainers";
        var body =
            $$"""{"apiVersion":"v1","kind":"EphemeralContainers","metadata":{"name":"web","namespace":"{{_namespace}}"}"""
            + $$""","ephemeralContainers":[{"name":"debugger","image":"busybox","imagePullPolicy":"IfNotPresent","""
            + $$""" "terminationMessagePolicy":"File","targetContainerName":"web"}]}""";
        await _cluster.KubectlWithInputAsync(body, "replace", "--raw", path, "-f", "-");
        var pod = await GetAsync("web");
        Assert.That(ImagesOf(pod, "ephemeralContainers"), Is.EqualTo(new[] { $"{Proxy}busybox:latest" }));
    }

    [Test]
    public async Task A_server_dry_run_shows_the_patch_and_keeps_nothing()
    {
        var pod = await CreateAsync(
            """{"metadata":{"name":"dry"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""",
            "--dry-run=server"
        );
        var (exitCode, _, _) = await _cluster.TryKubectlAsync("", "get", "pod", "dry", "-n", _namespace);
        Assert.That((ImagesOf(pod, "containers")[0], exitCode), Is.EqualTo(($"{Proxy}nginx:latest", 1)));
    }

    [Test]
    public async Task A_pod_that_opts_out_is_left_unchanged()
    {
        var pod = await CreateAsync(
            """{"metadata":{"name":"mine","labels":{"proxyswapper.io/ignore":"true"}},"spec":{"containers":"""
                + """[{"name":"web","image":"nginx"}]}}"""
        );
        Assert.That(ImagesOf(pod, "containers"), Is.EqualTo(new[] { "nginx" }));
    }

    [Test]
    public async Task An_invalid_image_is_a_warning_for_the_client()
    {
        var (exitCode, _, error) = await _cluster.TryKubectlAsync(
            Complete("""{"metadata":{"name":"odd"},"spec":{"containers":[{"name":"web","image":"Nginx:1"}]}}"""),
            "create",
            "-f",
            "-"
        );
        Assert.That(
            (exitCode, error.Contains("Warning: image 'Nginx:1' left unchanged", StringComparison.Ordinal)),
            Is.EqualTo((0, true)),
            error
        );
    }

    [Test]
    public async Task With_the_webhook_down_and_failure_policy_ignore_pods_keep_their_images()
    {
        await using var down = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com");
        await ApplyAsync(WebhookRegistration.Manifest(down, _namespace, name: _name));
        down.Kill();
        await down.WaitForExitAsync();
        await TestWait.UntilAsync(
            async () =>
                ImagesOf(
                    await CreateAsync("""{"metadata":{"generateName":"down-"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}"""),
                    "containers"
                )[0] == "nginx",
            "a Pod with its own image"
        );
    }

    [Test]
    public async Task In_an_emergency_deleting_the_webhook_configuration_unblocks_at_once_and_applying_it_reinstates()
    {
        await using var down = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com");
        await ApplyAsync(WebhookRegistration.Manifest(down, _namespace, "Fail", _name));
        down.Kill();
        await down.WaitForExitAsync();
        const string Pod = """{"metadata":{"generateName":"emergency-"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""";
        await TestWait.UntilAsync(async () => (await TryCreateAsync(Pod)).ExitCode != 0, "the block");
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _name);
        await TestWait.UntilAsync(async () => (await TryCreateAsync(Pod)).ExitCode == 0, "the end of the block");
        await RegisterAgainAsync("Fail");
        Assert.That(ImagesOf(await CreateAsync(Pod), "containers"), Is.EqualTo(new[] { $"{Proxy}nginx:latest" }));
    }

    private async Task RegisterAgainAsync(string failurePolicy)
    {
        await ApplyAsync(WebhookRegistration.Manifest(_webhook, _namespace, failurePolicy, _name));
        await TestWait.UntilAsync(
            async () =>
            {
                var (exitCode, output, _) = await TryCreateAsync(
                    """{"metadata":{"generateName":"probe-"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}""",
                    "--dry-run=server"
                );
                return exitCode == 0 && ImagesOf(JsonNode.Parse(output)!, "containers")[0] != "nginx";
            },
            "the webhook's return"
        );
    }

    private Task<string> ApplyAsync(string manifest) => _cluster.KubectlWithInputAsync(manifest, "apply", "-f", "-");

    private async Task<JsonNode> CreateAsync(string pod, params string[] arguments)
    {
        var (exitCode, output, error) = await TryCreateAsync(pod, arguments);
        Assert.That(exitCode, Is.Zero, error);
        return JsonNode.Parse(output)!;
    }

    private Task<(int ExitCode, string Output, string Error)> TryCreateAsync(string pod, params string[] arguments) =>
        _cluster.TryKubectlAsync(Complete(pod), ["create", "-f", "-", "-o", "json", .. arguments]);

    private string Complete(string pod)
    {
        var node = JsonNode.Parse(pod)!;
        (node["apiVersion"], node["kind"], node["metadata"]!["namespace"]) = ("v1", "Pod", _namespace);
        return node.ToJsonString();
    }

    private async Task<JsonNode> PatchAsync(string patch) =>
        JsonNode.Parse(await _cluster.KubectlAsync("patch", "pod", "web", "-n", _namespace, "-p", patch, "-o", "json"))!;

    private async Task<JsonNode> GetAsync(string name) =>
        JsonNode.Parse(await _cluster.KubectlAsync("get", "pod", name, "-n", _namespace, "-o", "json"))!;

    private static List<string> ImagesOf(JsonNode pod, string list) =>
        [.. pod["spec"]![list]!.AsArray().Select(container => container!["image"]!.ToString())];
}
