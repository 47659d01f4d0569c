using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Checks;

/// <summary><c>check</c>, which <c>helm test</c> runs, against a real kube-apiserver.</summary>
[TestFixture, NeedsServer]
internal sealed partial class CheckTests
{
    private KubeApiServer _cluster = null!;
    private InMemoryRegistry _registry = null!;
    private ProxySwapperProcess _webhook = null!;
    private string _namespace = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _registry = await InMemoryRegistry.StartAsync();
        _webhook = await ProxySwapperProcess.StartAsync(
            $$"""
            rules:
              - {match: docker.io, target: {{_registry.Address}}/hub, pullSecret: hub}
              - {match: quay.io/coreos/**, target: {{_registry.Address}}/quay}
              - {matchRegex: 'gcr\.io/(.*)', replace: '{{_registry.Address}}/gcr/$1'}
            registries: [{host: "{{_registry.Address}}", plainHttp: true}]
            """,
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig }
        );
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _webhook.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [SetUp]
    public async Task CreateNamespaceAsync() => _namespace = await _cluster.CreateNamespaceAsync();

    [TearDown]
    public async Task UnregisterAsync() =>
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", WebhookRegistration.Name, "--ignore-not-found");

    [Test]
    public async Task With_a_rewritten_pod_and_a_registry_that_accepts_our_login_the_check_succeeds()
    {
        await RegisterAsync();
        var result = await CheckAsync("--timeout", "60", "--image", "gcr.io/a/b:1", "--image", "ghcr.io/c/d:1");
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")), result.Output);
        Assert.That(
            result.Output,
            Does.Contain($"[+] docker.io/proxyswapper-check/proxyswapper-check:latest -> {_registry.Address}/hub/")
                .And.Contain($"[+] quay.io/coreos/proxyswapper-check/proxyswapper-check:latest -> {_registry.Address}/quay/coreos/")
                .And.Contain($"[+] gcr.io/a/b:1 -> {_registry.Address}/gcr/a/b:1 (rules[2])")
                .And.Contain("[+] ghcr.io/c/d:1 is unchanged: no rule matches")
                .And.Contain("[+] the Pod has hub in imagePullSecrets")
                .And.Contain($"[+] reading and writing is allowed at {_registry.Address} in quay/proxyswapper-access-check")
                .And.Contain("[+] downstream ok")
                .And.EndWith("The check passed.\n")
        );
        Assert.That(await _cluster.KubectlAsync("get", "pods", "-n", _namespace, "-o", "name"), Is.Empty, "a dry run");
    }

    [Test]
    public async Task Without_a_running_program_the_registries_are_queried_with_the_credentials_of_this_process()
    {
        await RegisterAsync();
        var result = await ProxySwapperProgram.RunAsync(
            ["check", "--config", _webhook.ConfigurationFile, "-n", _namespace],
            ("KUBECONFIG", _cluster.Kubeconfig)
        );
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(result.Output, Does.Contain($"[+] reading and writing is allowed at {_registry.Address} in hub/"));
        Assert.That(result.Output, Does.Contain("[+] gcr.io/proxyswapper-check:latest -> "));
    }

    [Test]
    public async Task A_webhook_that_is_not_registered_is_reported()
    {
        var result = await CheckAsync("--timeout", "0");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Output,
            Does.Contain("[-] docker.io/proxyswapper-check/proxyswapper-check:latest became docker.io/")
                .And.Contain($"MutatingWebhookConfiguration {WebhookRegistration.Name} not found")
                .And.EndWith("The check failed.\n")
        );
    }

    [Test]
    public async Task Rules_without_a_known_image_are_no_failure_and_the_settings_that_name_one_are_said()
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            rules: [{matchRegex: '[a-z]+\.io/(.*)', replace: one.example/$1, populate: false, allowSharedTarget: true}]
            populate: {policy: none}
            """
        );
        var result = await ProxySwapperProgram.RunAsync(["check", "--config", file, "-n", _namespace], ("KUBECONFIG", _cluster.Kubeconfig));
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(
            result.Output,
            Does.Contain("[!] no Pod is tested: ")
                .And.Contain("test.images")
                .And.Contain("test.namespace")
                .And.Contain("rules[0] is not tested")
        );
    }

    [Test]
    public async Task An_excluded_namespace_is_reported()
    {
        await RegisterAsync(await _cluster.CreateNamespaceAsync());
        var result = await CheckAsync("--timeout", "0");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Output, Does.Contain($"excludes namespace {_namespace}"));
    }

    [Test]
    public async Task A_missing_authority_is_reported()
    {
        var manifest = WebhookRegistration.Manifest(_webhook, _namespace);
        var lines = manifest.Split('\n').Where(line => !line.Contains("caBundle", StringComparison.Ordinal));
        await _cluster.KubectlWithInputAsync(string.Join('\n', lines), "apply", "-f", "-");
        var result = await CheckAsync("--timeout", "0");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Output, Does.Contain("has no caBundle"));
    }

    [Test]
    public async Task A_webhook_that_the_api_server_does_not_reach_and_a_program_that_does_not_run_are_reported()
    {
        await using var gone = await ProxySwapperProcess.StartAsync("proxyUrl: one.example\npopulate: {policy: none}");
        await _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(gone, _namespace), "apply", "-f", "-");
        gone.Kill();
        await gone.WaitForExitAsync();
        var result = await ProxySwapperProgram.RunAsync(
            [
                "check",
                "--config",
                gone.ConfigurationFile,
                "-n",
                _namespace,
                "--timeout",
                "0",
                "--management",
                $"http://localhost:{gone.ManagementPort}",
            ],
            ("KUBECONFIG", _cluster.Kubeconfig)
        );
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(
            result.Output,
            Does.Contain("cannot reach it or does not trust it")
                .And.Contain($"[-] the program does not respond at http://localhost:{gone.ManagementPort}/")
        );
    }

    [Test]
    public async Task With_dryRun_the_check_passes_only_if_the_api_server_calls_the_webhook()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync(
            "proxyUrl: one.example\ndryRun: true\npopulate: {policy: none}",
            new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig }
        );
        Task<(int ExitCode, string Output, string Error)> CheckAsync(int seconds) =>
            ProxySwapperProgram.RunAsync(
                [
                    .. new[] { "check", "--config", webhook.ConfigurationFile, "-n", _namespace, "--timeout", $"{seconds}" },
                    $"--management=http://localhost:{webhook.ManagementPort}",
                ],
                ("KUBECONFIG", _cluster.Kubeconfig)
            );
        var missing = await CheckAsync(0);
        Assert.That(missing.ExitCode, Is.EqualTo(1), missing.Output);
        Assert.That(
            missing.Output,
            Does.Contain("[-] the API server does not call the webhook here")
                .And.Contain($"MutatingWebhookConfiguration {WebhookRegistration.Name} not found")
        );
        await _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(webhook, _namespace), "apply", "-f", "-");
        var result = await CheckAsync(60);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(
            result.Output,
            Does.Contain("unchanged, since dryRun is on; proxyUrl would rewrite it to one.example/").And.Not.Contain("warning from")
        );
        webhook.Kill();
        await webhook.WaitForExitAsync();
        var unreachable = await CheckAsync(0);
        Assert.That(unreachable.ExitCode, Is.EqualTo(1), unreachable.Output);
        Assert.That(unreachable.Output, Does.Contain("cannot reach it or does not trust it"));
    }

    [TestCase("http//x", "must be an http or https URL without user and password, such as http://localhost:9090")]
    public async Task An_invalid_address_is_a_usage_error(string address, string expected)
    {
        var result = await ProxySwapperProgram.RunAsync(["check", "--management", address]);
        Assert.That((result.ExitCode, result.Error.Contains(expected, StringComparison.Ordinal)), Is.EqualTo((2, true)), result.Error);
    }

    [Test]
    public async Task The_charts_test_does_it_with_the_rights_of_its_own_account_and_no_others()
    {
        var release = await _cluster.CreateNamespaceAsync();
        var hooks = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default")))
            .Where(item => ChartObjects.IsHook(item, "test"))
            .Select(item => JsonNode.Parse(item.ToJsonString().Replace("\"namespace\":\"proxyswapper\"", $"\"namespace\":\"{release}\""))!)
            .ToList();
        foreach (
            var item in hooks.Where(item =>
                (string)item["kind"]! is "ServiceAccount" or "Role" or "RoleBinding" or "ClusterRole" or "ClusterRoleBinding"
            )
        )
            await _cluster.KubectlWithInputAsync(item.ToJsonString(), "apply", "-f", "-");
        // API servers do this themselves since 1.21.
        await _cluster.KubectlAsync("label", "--overwrite", "namespace", "default", "kubernetes.io/metadata.name=default");
        await RegisterAsync("default");
        var pod = hooks.Single(item => (string?)item["kind"] == "Pod");
        var account = new ServiceAccounts(_cluster);
        var kubeconfig = _cluster.KubeconfigOf(await account.TokenAsync((string)pod["spec"]!["serviceAccountName"]!, release));
        string[] arguments =
        [
            .. pod["spec"]!["containers"]![0]!["args"]!.AsArray().Select(argument => Local((string)argument!)),
            "--timeout=60",
        ];
        var result = await ProxySwapperProgram.RunAsync(arguments, ("KUBECONFIG", kubeconfig));
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
        Assert.That(result.Output, Does.EndWith("The check passed.\n"));
        var rights = new AccessReviewClient(Connect(kubeconfig));
        foreach (var verb in new[] { "get", "list", "watch", "create", "update", "patch", "delete" })
        {
            Assert.That(
                await rights.IsAllowedAsync(new(verb, ResourceType.Pods, "default"), default),
                Is.EqualTo(verb == "create"),
                $"{verb} pods"
            );
            Assert.That(await rights.IsAllowedAsync(new(verb, ResourceType.Pods, release), default), Is.False, $"{verb} pods elsewhere");
            Assert.That(await rights.IsAllowedAsync(new(verb, ResourceType.Secrets, "default"), default), Is.False, $"{verb} secrets");
        }
        await UnregisterAsync();
        var unregistered = await ProxySwapperProgram.RunAsync([.. arguments[..^1], "--timeout=0"], ("KUBECONFIG", kubeconfig));
        Assert.That(unregistered.Output, Does.Contain("not found: webhook.registered is false"), "it may read why");
    }

    private static KubernetesClient Connect(string kubeconfig) =>
        new(new KubeconfigReader(TimeProvider.System).Read([kubeconfig], null), TimeProvider.System);

    /// <summary>The chart's arguments, adapted to this machine.</summary>
    private string Local(string argument) =>
        argument.StartsWith("--config=", StringComparison.Ordinal) ? $"--config={_webhook.ConfigurationFile}"
        : argument.StartsWith("--management=", StringComparison.Ordinal) ? $"--management=http://localhost:{_webhook.ManagementPort}"
        : argument;

    private Task<string> RegisterAsync(string? @namespace = null) =>
        _cluster.KubectlWithInputAsync(WebhookRegistration.Manifest(_webhook, @namespace ?? _namespace), "apply", "-f", "-");

    private Task<(int ExitCode, string Output, string Error)> CheckAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync(
            [
                "check",
                "--config",
                _webhook.ConfigurationFile,
                "--namespace",
                _namespace,
                "--management",
                $"http://localhost:{_webhook.ManagementPort}",
                .. arguments,
            ],
            ("KUBECONFIG", _cluster.Kubeconfig)
        );
}
