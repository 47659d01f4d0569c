using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Switching;

/// <summary><c>disable</c> and <c>enable</c> of the built program, on a real API server.</summary>
[TestFixture, NeedsServer]
internal sealed class WebhookSwitchTests
{
    private const string Path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    private KubeApiServer _server = null!;
    private string _name = null!;
    private string _namespace = null!;

    [SetUp]
    public async Task MakeRelease()
    {
        _server = await ControlPlane.GetAsync();
        _name = $"webhook-{Guid.NewGuid():n}";
        _namespace = $"release-{Guid.NewGuid():n}";
        await _server.KubectlWithInputAsync(
            $$$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{{_namespace}}}}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: proxyswapper
              namespace: {{{_namespace}}}
              labels: {proxyswapper.io/webhook: {{{_name}}}}
              annotations: {mine: stays}
            data: {config.yaml: "proxyUrl: registry.example.com"}
            ---
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata:
              name: {{{_name}}}
              labels: {app: proxyswapper}
              annotations: {proxyswapper.io/config-map: {{{_namespace}}}/proxyswapper, cert-manager.io/inject-ca-from: a/b}
            webhooks:
              - name: swap.proxyswapper.io
                admissionReviewVersions: [v1]
                sideEffects: NoneOnDryRun
                failurePolicy: Ignore
                clientConfig:
                  service: {name: proxyswapper, namespace: {{{_namespace}}}, path: /mutate}
                  caBundle: {{{Convert.ToBase64String(await File.ReadAllBytesAsync(_server.AuthorityFile))}}}
                namespaceSelector: {matchLabels: {nothing: here}}
                rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
            """,
            "apply",
            "-f",
            "-"
        );
    }

    [TearDown]
    public Task Remove() => _server.Client.DeleteAsync($"{Path}/{_name}", default);

    [Test]
    public async Task Enable_restores_exactly_what_disable_removed()
    {
        var before = await WebhookAsync();
        var disabled = await RunAsync("disable");
        Assert.That(
            disabled,
            Is.EqualTo(
                (
                    0,
                    $"Removed {_name}: Pods now start with their original images. `proxyswapper "
                        + $"enable` restores it from ConfigMap {_namespace}/proxyswapper.\n",
                    ""
                )
            )
        );
        Assert.That(await WebhookAsync(), Is.Null);

        var enabled = await RunAsync("enable");
        Assert.That(enabled, Is.EqualTo((0, $"Restored {_name}: images are rewritten again.\n", "")));
        Assert.That(Comparable(await WebhookAsync()), Is.EqualTo(Comparable(before)));
        Assert.That(
            (await ConfigMapAsync())["metadata"]!["annotations"]!.ToJsonString(),
            Does.Contain("\"mine\":\"stays\"").And.Not.Contain("disabled-webhook")
        );
    }

    [Test]
    public async Task Both_can_be_repeated()
    {
        var before = await WebhookAsync();
        await RunAsync("disable");
        var again = await RunAsync("disable");
        Assert.That(again, Is.EqualTo((0, $"{_name} not found: nothing to disable.\n", "")));
        await RunAsync("enable");
        Assert.That(Comparable(await WebhookAsync()), Is.EqualTo(Comparable(before)));
        Assert.That(await RunAsync("enable"), Is.EqualTo((0, $"{_name} already exists: nothing to enable.\n", "")));
    }

    [Test]
    public async Task A_configuration_that_an_upgrade_restored_is_left_unchanged()
    {
        var before = await WebhookAsync();
        await RunAsync("disable");
        var newer = JsonNode.Parse(Comparable(before))!.AsObject();
        newer["metadata"]!["labels"]!["app"] = "newer";
        await _server.Client.PostAsync(Path, newer, default);
        Assert.That((await RunAsync("enable")).Output, Is.EqualTo($"{_name} already exists: nothing to enable.\n"));
        Assert.That((string?)(await WebhookAsync())!["metadata"]!["labels"]!["app"], Is.EqualTo("newer"));
        Assert.That((await ConfigMapAsync())["metadata"]!["annotations"]!.ToJsonString(), Does.Not.Contain("disabled-webhook"));
    }

    [Test]
    public async Task A_file_can_store_it_too_and_kubectl_can_read_it()
    {
        var before = await WebhookAsync();
        var file = System.IO.Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{_name}.json");
        Assert.That((await RunAsync("disable", "--file", file)).Output, Does.EndWith($"restores it from file {file}.\n"));
        await _server.KubectlAsync("create", "-f", file, "--dry-run=server");
        Assert.That((await RunAsync("enable", "--file", file)).ExitCode, Is.Zero);
        Assert.That(Comparable(await WebhookAsync()), Is.EqualTo(Comparable(before)));
        File.Delete(file);
    }

    [Test]
    public async Task Nothing_is_removed_if_it_cannot_be_stored()
    {
        await _server.KubectlAsync("-n", _namespace, "delete", "configmap", "proxyswapper");
        var rejected = await RunAsync("disable");
        Assert.That(
            (rejected.ExitCode, rejected.Error),
            Is.EqualTo(
                (
                    1,
                    $"ConfigMap {_namespace}/proxyswapper not found, so nothing was removed: keep "
                        + "the configuration with --file FILE, or drop it with --discard\n"
                )
            )
        );
        var unwritable = await RunAsync("disable", "--file", "/no/such/folder/file.json");
        Assert.That(unwritable.ExitCode, Is.EqualTo(1));
        Assert.That(unwritable.Error, Does.StartWith("cannot write file /no/such/folder/file.json, so nothing was removed: "));
        Assert.That(await WebhookAsync(), Is.Not.Null);
    }

    [Test]
    public async Task Discarding_needs_no_place_and_is_idempotent()
    {
        Assert.That(await RunAsync("disable", "--discard"), Is.EqualTo((0, $"Removed {_name}.\n", "")));
        Assert.That(await RunAsync("disable", "--discard"), Is.EqualTo((0, $"{_name} not found: nothing to remove.\n", "")));
        var enabled = await RunAsync("enable");
        Assert.That(
            (enabled.ExitCode, enabled.Error),
            Is.EqualTo(
                (
                    1,
                    $"ConfigMap {_namespace}/proxyswapper has no stored configuration and {_name} "
                        + "does not exist: upgrade the chart to recreate it\n"
                )
            )
        );
    }

    [TestCase("enable", "--config-map", "no-slash")]
    [TestCase("disable", "--discard", "--file", "x")]
    [TestCase("enable", "--config-map", "a/b", "--file", "x")]
    public async Task Wrong_usage_is_exit_code_2(params string[] arguments) =>
        Assert.That((await ProxySwapperProgram.RunAsync(arguments, ("KUBECONFIG", _server.Kubeconfig))).ExitCode, Is.EqualTo(2));

    [Test]
    public async Task Without_a_cluster_to_talk_to_the_exit_code_is_2()
    {
        var run = await ProxySwapperProgram.RunAsync(
            ["disable"],
            ("KUBECONFIG", null),
            ("HOME", "/nowhere"),
            ("KUBERNETES_SERVICE_HOST", null)
        );
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.StartWith("No Kubernetes API server: "));
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync([.. arguments, "--name", _name], ("KUBECONFIG", _server.Kubeconfig));

    private Task<JsonObject?> WebhookAsync() => _server.Client.GetAsync($"{Path}/{_name}", default);

    private async Task<JsonObject> ConfigMapAsync() =>
        (await _server.Client.GetAsync($"/api/v1/namespaces/{_namespace}/configmaps/proxyswapper", default))!;

    /// <summary>The object without fields set by the API server.</summary>
    private static string Comparable(JsonObject? webhook)
    {
        var copy = webhook!.DeepClone();
        foreach (var field in new[] { "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields" })
            copy["metadata"]!.AsObject().Remove(field);
        return copy.ToJsonString();
    }
}
