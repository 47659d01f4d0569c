using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>The built program keeps the API server's policy up to date; the binding switches it on and off.</summary>
[TestFixture, NeedsServer, NeedsModernServer]
internal sealed partial class PolicyServeTests
{
    private const string Policy = "mutatingadmissionpolicy";
    private const string Binding = "mutatingadmissionpolicybinding";

    private PolicyScene _scene = null!;
    private ProxySwapperProcess _program = null!;
    private string _name = "";

    private KubeApiServer Server => _scene.Server;

    [OneTimeSetUp]
    public async Task StartServerAsync() => _scene = await PolicyScene.StartAsync();

    [OneTimeTearDown]
    public async Task StopServerAsync() => await _scene.DisposeAsync();

    [SetUp]
    public async Task StartAsync()
    {
        _name = $"swap-{Guid.NewGuid():n}";
        var binding = new PolicyObjects(_name, "v1").Binding(podUpdates: false);
        await Server.KubectlWithInputAsync(binding.ToJsonString(), "apply", "-f", "-");
        _program = await ProxySwapperProcess.StartAsync(
            Configuration("r.example"),
            new Dictionary<string, string> { ["KUBECONFIG"] = Server.Kubeconfig }
        );
        await WaitForImageAsync("r.example/library/nginx:latest");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _program.DisposeAsync();
        await _scene.RemoveAllAsync();
    }

    [Test]
    public async Task A_reload_changes_the_policy_and_one_that_it_cannot_do_changes_nothing()
    {
        await File.WriteAllTextAsync(_program.ConfigurationFile, _program.Complete(Configuration("s.example")));
        await WaitForImageAsync("s.example/library/nginx:latest");
        await File.WriteAllTextAsync(_program.ConfigurationFile, _program.Complete(Configuration("t.example") + "\nswapPolicy: exists"));
        await TestWait.UntilAsync(
            () => Task.FromResult(_program.Log.Contains("asks the registry", StringComparison.Ordinal)),
            "the rejection"
        );
        Assert.That(await ImageAsync(), Is.EqualTo("s.example/library/nginx:latest"));
        Assert.That(await _program.Management.GetStringAsync("/readyz?verbose"), Does.Contain("admission policy ok"));
    }

    [Test]
    public async Task What_alerts_and_the_dashboard_expect_of_every_replica_is_exported_without_a_certificate()
    {
        var exported = PrometheusText.Parse(await _program.Management.GetStringAsync("/metrics")).Keys;
        var alerts = await File.ReadAllTextAsync(SourceTree.PathOf("chart", "files", "alerts.yaml"));
        var dashboard = await File.ReadAllTextAsync(SourceTree.PathOf("chart", "dashboards", "proxyswapper.json"));
        var expected = Expected().Matches(alerts + dashboard).Select(match => match.Groups[1].Value).ToList();
        Assert.That(expected, Has.Count.EqualTo(2));
        Assert.That(expected.Except(exported), Is.Empty);
    }

    [GeneratedRegex(@"\b(?:absent|label_values)\((\w+)")]
    private static partial Regex Expected();

    [Test]
    public async Task A_changed_or_removed_policy_is_restored()
    {
        var patch = """[{"op":"replace","path":"/spec/mutations/0/jsonPatch/expression","value":"[]"}]""";
        await Server.KubectlAsync("patch", Policy, _name, "--type", "json", "--patch", patch);
        await TestWait.UntilAsync(async () => !await IsEmptiedAsync(), "the mutation that was");
        await Server.KubectlAsync("delete", Policy, _name);
        await TestWait.UntilAsync(async () => await IsThereAsync(Policy), "the policy that was removed");
        await WaitForImageAsync("r.example/library/nginx:latest");
    }

    [Test]
    public async Task Added_or_removed_conditions_are_restored_once()
    {
        var written = await ConditionsAsync();
        foreach (
            var patch in new[]
            {
                """[{"op":"add","path":"/spec/matchConditions/0","value":{"name":"never","expression":"false"}}]""",
                """[{"op":"remove","path":"/spec/matchConditions/0"}]""",
            }
        )
        {
            await Server.KubectlAsync("patch", Policy, _name, "--type", "json", "--patch", patch);
            Assert.That(await ConditionsAsync(), Is.Not.EqualTo(written));
            await TestWait.UntilAsync(async () => await ConditionsAsync() == written, "the conditions that were");
        }
        // Another manager that applied the same policy shares its fields.
        var policy = await Server.KubectlAsync("get", Policy, _name, "-o", "json");
        var own = JsonNode.Parse(policy)!;
        own["metadata"] = new JsonObject { ["name"] = _name };
        await Server.KubectlWithInputAsync(own.ToJsonString(), "apply", "--server-side", "--force-conflicts", "-f", "-");
        await TestWait.UntilAsync(async () => !(await ManagersAsync()).Contains("kubectl", StringComparison.Ordinal), "its only owner");
        var applied = await AppliedAsync();
        await TestWait.UntilAsync(() => Task.FromResult(_program.Log.Contains("it was changed", StringComparison.Ordinal)), "the log");
        // Longer than two checks of the policy.
        await Task.Delay(TimeSpan.FromSeconds(12), TimeProvider.System);
        Assert.That(await AppliedAsync(), Is.EqualTo(applied));
        await WaitForImageAsync("r.example/library/nginx:latest");
    }

    [Test]
    public async Task The_chart_s_binding_selects_namespaces_and_pods()
    {
        var binding = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("policy"))).Single(item =>
            (string?)item["kind"] == "MutatingAdmissionPolicyBinding"
        );
        binding["metadata"]!["name"] = _name;
        binding["spec"]!["policyName"] = _name;
        await Server.KubectlWithInputAsync(binding.ToJsonString(), "replace", "-f", "-");
        foreach (var name in new[] { "default", "monitoring", "opted-out", "kube-system" })
        {
            await _scene.CreateNamespaceAsync(name);
            await Server.KubectlAsync("label", "--overwrite", "namespace", name, $"kubernetes.io/metadata.name={name}");
        }
        await Server.KubectlAsync("label", "namespace", "opted-out", "proxyswapper.io/ignore=true");
        await TestWait.UntilAsync(async () => await ImageAsync("default", "db") == "nginx", "the new binding");
        Assert.That(await ImageAsync("default", "web"), Is.EqualTo("r.example/library/nginx:latest"));
        foreach (var name in new[] { "monitoring", "opted-out", "kube-system" })
            Assert.That(await ImageAsync(name, "web"), Is.EqualTo("nginx"), name);
    }

    [Test]
    public async Task Disable_and_enable_switch_the_policy_off_and_on()
    {
        var file = Path.Combine(_program.Folder, "kept.json");
        var disabled = await RunAsync("disable", "--file", file);
        Assert.That(disabled.ExitCode, Is.Zero, disabled.Error);
        await WaitForImageAsync("nginx");
        await TestWait.UntilAsync(
            async () => (await _program.Management.GetStringAsync("/readyz?verbose")).Contains("not in force", StringComparison.Ordinal),
            "the program's word that the policy is not in force"
        );
        var enabled = await RunAsync("enable", "--file", file);
        Assert.That(enabled.ExitCode, Is.Zero, enabled.Error);
        await WaitForImageAsync("r.example/library/nginx:latest");
    }

    [Test]
    public async Task Check_says_what_is_wrong_with_the_policy_or_its_binding()
    {
        var current = await CheckAsync(30);
        Assert.That((current.ExitCode, current.Error), Is.EqualTo((0, "")), current.Output);
        Assert.That(
            current.Output,
            Does.Contain("-> r.example/proxyswapper-check/")
                .And.Contain($"[+] MutatingAdmissionPolicy {_name} is that of the configuration")
        );
        var other = Path.Combine(_program.Folder, "other.yaml");
        await File.WriteAllTextAsync(other, Configuration("s.example"));
        Assert.That(
            (await CheckAsync(0, other)).Output,
            Does.Contain($"[-] MutatingAdmissionPolicy {_name} is not that of the configuration: spec.")
        );
        foreach (
            var (patch, fault) in new[]
            {
                (
                    """{"spec":{"matchResources":{"namespaceSelector":{"matchLabels":{"no":"such"}}}}}""",
                    $"[-] the namespaceSelector of MutatingAdmissionPolicyBinding {_name} excludes namespace default"
                ),
                (
                    """{"spec":{"policyName":"another"}}""",
                    $"[-] MutatingAdmissionPolicyBinding {_name} is for the policy another; it must be for {_name}"
                ),
            }
        )
        {
            await Server.KubectlAsync("patch", Binding, _name, "--type", "merge", "--patch", patch);
            var wrong = await CheckAsync(0);
            Assert.That((wrong.ExitCode, wrong.Output.Contains(fault, StringComparison.Ordinal)), Is.EqualTo((1, true)), wrong.Output);
        }
        await Server.KubectlAsync("delete", Binding, _name);
        var missing = await CheckAsync(0);
        Assert.That(missing.ExitCode, Is.EqualTo(1), missing.Output);
        Assert.That(missing.Output, Does.Contain($"[-] MutatingAdmissionPolicyBinding {_name} not found"));
    }

    [Test]
    public async Task A_discarded_policy_stays_removed_while_the_program_runs()
    {
        var discarded = await RunAsync("disable", "--discard");
        Assert.That(discarded.ExitCode, Is.Zero, discarded.Error);
        await TestWait.UntilAsync(
            async () => (await _program.Management.GetStringAsync("/readyz?verbose")).Contains("not in force", StringComparison.Ordinal),
            "the program's next look"
        );
        Assert.That(await IsThereAsync(Binding), Is.False);
        Assert.That(await IsThereAsync(Policy), Is.False);
    }

    [Test]
    public async Task The_populator_finds_what_the_policy_rewrote_by_its_watch_copies_it_and_counts_the_pod()
    {
        await using var upstream = await InMemoryRegistry.StartAsync();
        await using var downstream = await InMemoryRegistry.StartAsync();
        TestImage.Create(97, 2, 1000).AddTo(upstream, "team/app", "1");
        await File.WriteAllTextAsync(
            _program.ConfigurationFile,
            _program.Complete(
                $$"""
                admissionPolicy: {name: {{_name}} }
                rules: [{match: "{{upstream.Address}}", target: "{{downstream.Address}}/mirror"}]
                populate: {policy: delayed}
                """
            )
        );
        var number = 0;
        // The policy and the watched labels follow the configuration within seconds.
        await TestWait.UntilAsync(
            async () =>
            {
                var pod = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["name"] = $"app-{number++}" },
                    ["spec"] = PolicyScene.Container($"{upstream.Address}/team/app:1"),
                };
                await _scene.CreateAsync(null, "default", pod);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
                return (await _program.Management.GetStringAsync("/metrics"))
                    .Split('\n')
                    .Any(line =>
                        line.StartsWith("proxyswapper_admission_policy_pods_total", StringComparison.Ordinal)
                        && !line.EndsWith(" 0", StringComparison.Ordinal)
                    );
            },
            "the count of a rewritten Pod"
        );
        await TestWait.UntilAsync(() => downstream.Repository("mirror/team/app").Find("1") is not null, "the copy");
    }

    private Task<(int ExitCode, string Output, string Error)> CheckAsync(int seconds, string? file = null) =>
        ProxySwapperProgram.RunAsync([
            .. new[] { "check", "--config", file ?? _program.ConfigurationFile, "-n", "default", "--timeout", $"{seconds}" },
            .. new[] { "--management", $"http://localhost:{_program.ManagementPort}", "--kubeconfig", Server.Kubeconfig },
        ]);

    private string Configuration(string target) => $"admissionPolicy: {{name: {_name}}}\nproxyUrl: {target}\npopulate: {{policy: none}}";

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync([.. arguments, "--name", _name, "--kubeconfig", Server.Kubeconfig]);

    private async Task<bool> IsThereAsync(string kind) => (await Server.TryKubectlAsync("", "get", kind, _name)).ExitCode == 0;

    private async Task<bool> IsEmptiedAsync() =>
        await Server.KubectlAsync("get", Policy, _name, "-o", "jsonpath={.spec.mutations[0].jsonPatch.expression}") == "[]";

    private Task<string> ConditionsAsync() => Server.KubectlAsync("get", Policy, _name, "-o", "jsonpath={.spec.matchConditions[*].name}");

    private async Task<string> ManagersAsync()
    {
        var policy = await Server.Client.GetAsync($"/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/{_name}", default);
        return policy!["metadata"]!["managedFields"]!.ToJsonString();
    }

    /// <summary>How often the program has written the policy.</summary>
    private async Task<string> AppliedAsync() =>
        (await _program.Management.GetStringAsync("/metrics"))
            .Split('\n')
            .Single(line => line.StartsWith("proxyswapper_admission_policy_applied_total{result=\"success\"}", StringComparison.Ordinal));

    private Task WaitForImageAsync(string image) => TestWait.UntilAsync(async () => await ImageAsync() == image, $"a Pod with {image}");

    private async Task<string?> ImageAsync(string @namespace = "default", string app = "web")
    {
        var created = PodGenerator.PodOf(["nginx"]);
        created["metadata"]!["labels"] = new JsonObject { ["app"] = app };
        var (_, pod) = await _scene.CreateAsync("nobody", @namespace, created);
        return (string?)pod["spec"]?["containers"]?[0]?["image"];
    }
}
