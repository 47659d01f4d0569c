using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>
/// The accounts of <c>webhook.mode: policy</c> at work, with the rights that the chart gives them and no others, against each API version
/// of admission policies. The API server has RBAC and no admission policies: custom resources of the same group, names and versions take
/// their place, which keeps what is written and evaluates nothing.
/// </summary>
[TestFixture("v1"), TestFixture("v1beta1"), TestFixture("v1alpha1")]
[NeedsServer]
internal sealed class ChartPolicyRightsTests(string version)
{
    private const string Name = "k8s-proxy-image-swapper-webhook";
    private const string Group = "admissionregistration.k8s.io";
    private const string Account = "proxyswapper";

    private KubeApiServer _server = null!;
    private ServiceAccounts _accounts = null!;
    private IReadOnlyList<JsonObject> _chart = null!;

    private string Policies => $"/apis/{Group}/{version}/mutatingadmissionpolicies";

    private string Bindings => $"/apis/{Group}/{version}/mutatingadmissionpolicybindings";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS");
        Assert.That(KubeApiServer.HasServer(assets), "this test needs KUBEBUILDER_ASSETS; test/setup/kube-apiserver prints it");
        // Otherwise the server's own resources of the group hide the others.
        _server = await KubeApiServer.StartAsync(
            assets!,
            "--runtime-config",
            $"{Group}/v1=false,{Group}/v1beta1=false",
            "--disable-admission-plugins",
            "MutatingAdmissionWebhook,ValidatingAdmissionWebhook"
        );
        _accounts = new ServiceAccounts(_server);
        foreach (var name in new[] { HelmChart.Release, "team-a", "team-b" })
            await _server.KubectlAsync("create", "namespace", name);
        await _accounts.ApplyAsync([
            Definition("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
            Definition("MutatingAdmissionPolicyBinding"),
        ]);
        foreach (var path in new[] { Policies, Bindings })
            await TestWait.UntilAsync(async () => await _server.Client.GetAsync(path, default) is not null, path);
        _chart = await HelmChart.ObjectsAsync(HelmChart.ValueSet("policy"), Capabilities());
        await _accounts.ApplyRightsAsync("policy", hooks: true);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [SetUp]
    public async Task RemoveAsync()
    {
        foreach (var path in new[] { $"{Bindings}/{Name}", $"{Policies}/{Name}" })
            await _server.Client.DeleteAsync(path, default);
    }

    [Test]
    public async Task The_account_may_write_one_policy_and_read_its_binding_by_name()
    {
        const string Suffix = $".{Group}";
        Assert.That(
            (await _accounts.AllowedAsync(Account, "team-a", Name)).Where(right => right.EndsWith(Suffix, StringComparison.Ordinal)),
            Is.EqualTo(
                new[]
                {
                    $"get mutatingadmissionpolicies{Suffix}",
                    $"create mutatingadmissionpolicies{Suffix}",
                    $"patch mutatingadmissionpolicies{Suffix}",
                    $"get mutatingadmissionpolicybindings{Suffix}",
                }
            )
        );
        foreach (var other in new[] { null, "another" })
            Assert.That(
                (await _accounts.AllowedAsync(Account, "team-a", other)).Where(right => right.EndsWith(Suffix, StringComparison.Ordinal)),
                Is.Empty
            );
        using var client = await _accounts.ClientOfAsync(Account);
        var policy = new JsonObject
        {
            ["apiVersion"] = $"{Group}/{version}",
            ["kind"] = "MutatingAdmissionPolicy",
            ["metadata"] = new JsonObject { ["name"] = "another" },
        };
        Func<Task>[] denied =
        [
            () => client.PatchAsync($"{Policies}/another?fieldManager=x", PatchKind.Apply, policy, default),
            () => client.PostAsync(Policies, policy, default),
            () => client.GetAsync(Policies, default),
            () => client.DeleteAsync($"{Policies}/{Name}", default),
            () => client.DeleteAsync($"{Bindings}/{Name}", default),
            () => client.GetAsync($"{Bindings}/another", default),
        ];
        foreach (var request in denied)
            Assert.That(Assert.ThrowsAsync<KubernetesException>(() => request())!.Status, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task The_account_of_helm_test_may_read_the_policy_and_its_binding_by_name_and_says_what_is_wrong()
    {
        const string Suffix = $".{Group}";
        Assert.That(
            (await _accounts.AllowedAsync("proxyswapper-test", "team-a", Name)).Where(right =>
                right.EndsWith(Suffix, StringComparison.Ordinal)
            ),
            Is.EqualTo(new[] { $"get mutatingadmissionpolicies{Suffix}", $"get mutatingadmissionpolicybindings{Suffix}" })
        );
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(file, $"admissionPolicy: {{name: {Name}}}\nproxyUrl: r.example\npopulate: {{policy: none}}");
        var account = ("KUBECONFIG", _server.KubeconfigOf(await _accounts.TokenAsync("proxyswapper-test")));
        string[] check = ["check", "--config", file, "--timeout", "0"];
        Assert.That(
            (await ProxySwapperProgram.RunAsync(check, account)).Output,
            Does.Contain($"[-] MutatingAdmissionPolicyBinding {Name} not found: webhook.registered is false, or it was removed")
        );
        await _accounts.ApplyAsync(OfChart("MutatingAdmissionPolicyBinding"));
        Assert.That(
            (await ProxySwapperProgram.RunAsync(check, account)).Output,
            Does.Contain($"[-] MutatingAdmissionPolicy {Name} not found: the program has not created it")
        );
    }

    [Test]
    public async Task The_program_keeps_the_policy_with_these_rights()
    {
        var kubeconfig = _server.KubeconfigOf(await _accounts.TokenAsync(Account));
        await using var program = await ProxySwapperProcess.StartAsync(
            $"admissionPolicy: {{name: {Name}}}\nproxyUrl: r.example\npopulate: {{policy: none}}",
            new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig }
        );
        Assert.That(program.Log, Does.Contain($"not in force: MutatingAdmissionPolicyBinding {Name} not found"));
        await _accounts.ApplyAsync(OfChart("MutatingAdmissionPolicyBinding"));
        var first = await WaitForPolicyAsync(policy => policy is not null, "the policy");
        Assert.That((string?)first!["apiVersion"], Is.EqualTo($"{Group}/{version}"));
        Assert.That((string?)(await _server.Client.GetAsync($"{Bindings}/{Name}", default))!["spec"]!["policyName"], Is.EqualTo(Name));

        const string Patch = """[{"op":"add","path":"/spec/matchConditions/0","value":{"name":"never","expression":"false"}}]""";
        await _server.KubectlAsync("patch", "mutatingadmissionpolicies", Name, "--type", "json", "--patch", Patch);
        await WaitForPolicyAsync(policy => JsonNode.DeepEquals(policy?["spec"], first["spec"]), "the policy without the condition");

        await _server.Client.DeleteAsync($"{Policies}/{Name}", default);
        await WaitForPolicyAsync(policy => JsonNode.DeepEquals(policy?["spec"], first["spec"]), "the policy that was deleted");
        Assert.That(program.Log, Does.Not.Contain("Cannot apply"));
    }

    [Test]
    public async Task Disable_enable_and_the_hook_of_an_uninstallation_have_the_rights_that_they_need()
    {
        await _accounts.ApplyAsync([
            .. OfChart("MutatingAdmissionPolicyBinding"),
            .. OfChart("ConfigMap"),
            OnCall("ClusterRole"),
            OnCall("Role"),
        ]);
        await _server.KubectlAsync("-n", HelmChart.Release, "create", "serviceaccount", "on-call");
        var onCall = ("KUBECONFIG", _server.KubeconfigOf(await _accounts.TokenAsync("on-call")));
        var before = await _server.Client.GetAsync($"{Bindings}/{Name}", default);

        Assert.That((await ProxySwapperProgram.RunAsync(["disable"], onCall)).Error, Is.Empty);
        Assert.That(await _server.Client.GetAsync($"{Bindings}/{Name}", default), Is.Null);
        var enabled = await ProxySwapperProgram.RunAsync(["enable", "--config-map", $"{HelmChart.Release}/proxyswapper"], onCall);
        Assert.That(enabled, Is.EqualTo((0, $"Restored {Name}: images are rewritten again.\n", "")));
        var after = await _server.Client.GetAsync($"{Bindings}/{Name}", default);
        Assert.That(JsonNode.DeepEquals(after!["spec"], before!["spec"]), after.ToJsonString());

        await _accounts.ApplyAsync([Policy(Name), Policy("another")]);
        var job = OfChart("Job").Single();
        var arguments = job["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!.AsArray().Select(argument => (string)argument!);
        var hook = ("KUBECONFIG", _server.KubeconfigOf(await _accounts.TokenAsync("proxyswapper-uninstall")));
        // The server has no gates; from 1.27 both commands release Pods.
        foreach (var account in new[] { "on-call", "proxyswapper-uninstall", Account })
            Assert.That(await _accounts.AllowedAsync(account, "team-a"), Is.SupersetOf(new[] { "list pods", "patch pods" }), account);
        Assert.That(await ProxySwapperProgram.RunAsync(arguments, hook), Is.EqualTo((0, $"Removed {Name}.\n", "")));
        foreach (var path in new[] { $"{Bindings}/{Name}", $"{Policies}/{Name}" })
            Assert.That(await _server.Client.GetAsync(path, default), Is.Null, path);
        Assert.That(await _server.Client.GetAsync($"{Policies}/another", default), Is.Not.Null);
    }

    private IEnumerable<JsonObject> OfChart(string kind) =>
        _chart.Where(item => (string?)item["kind"] == kind).Select(item => item.DeepClone().AsObject());

    /// <summary>What the chart knows of a cluster with this version.</summary>
    private string[] Capabilities()
    {
        var release = version switch
        {
            "v1" => "1.36.0",
            "v1beta1" => "1.34.0",
            _ => "1.33.0",
        };
        return ["--kube-version", release, "--api-versions", $"{Group}/{version}/MutatingAdmissionPolicy"];
    }

    private async Task<JsonObject?> WaitForPolicyAsync(Func<JsonObject?, bool> isReached, string what)
    {
        JsonObject? policy = null;
        await TestWait.UntilAsync(async () => isReached(policy = await _server.Client.GetAsync($"{Policies}/{Name}", default)), what);
        return policy;
    }

    private JsonObject Policy(string name) =>
        new()
        {
            ["apiVersion"] = $"{Group}/{version}",
            ["kind"] = "MutatingAdmissionPolicy",
            ["metadata"] = new JsonObject { ["name"] = name },
        };

    private static JsonObject OnCall(string kind) =>
        JsonNode
            .Parse(
                $$"""
                {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"{{kind}}Binding",
                 "metadata":{"name":"on-call","namespace":"{{HelmChart.Release}}"},
                 "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{kind}}","name":"proxyswapper-switch"},
                 "subjects":[{"kind":"ServiceAccount","name":"on-call","namespace":"{{HelmChart.Release}}"}]}
                """
            )!
            .AsObject();

    private JsonObject Definition(string kind, string? plural = null)
    {
        plural ??= $"{kind.ToLowerInvariant()}s";
        return JsonNode
            .Parse(
                $$"""
                {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
                 "metadata":{"name":"{{plural}}.{{Group}}","annotations":{"api-approved.kubernetes.io":"unapproved, of a test"} },
                 "spec":{"group":"{{Group}}","scope":"Cluster",
                  "names":{"kind":"{{kind}}","listKind":"{{kind}}List","plural":"{{plural}}","singular":"{{kind.ToLowerInvariant()}}"},
                  "versions":[{"name":"{{version}}","served":true,"storage":true,
                   "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } }]} }
                """
            )!
            .AsObject();
    }
}
