using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The chart's objects on a real API server.</summary>
[TestFixture, NonParallelizable, NeedsServer]
internal sealed partial class ChartOnApiServerTests
{
    private const string Namespace = HelmChart.Release;
    private const string Webhook = "k8s-proxy-image-swapper-webhook";
    private const string Webhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    /// <summary>Groups whose definitions are installed by operators; their schemas are checked by <see cref="ChartSchemaTests"/>.</summary>
    private static readonly string[] GroupsOfOperators = ["cert-manager.io/v1", "monitoring.coreos.com/v1"];

    private KubeApiServer _server = null!;
    private ServiceAccounts _accounts = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await ControlPlane.GetAsync();
        _accounts = new ServiceAccounts(_server);
        foreach (var name in new[] { Namespace, "team-a", "team-b" })
            await _server.KubectlWithInputAsync(NamespaceOf(name), "apply", "-f", "-");
        await _server.KubectlAsync("label", "--overwrite", "namespace", "kube-system", "kubernetes.io/metadata.name=kube-system");
    }

    [OneTimeTearDown]
    public async Task Remove()
    {
        await _server.Client.DeleteAsync($"{Webhooks}/{Webhook}", default);
        await _server.KubectlAsync("delete", "namespace", Namespace, "team-a", "team-b", "--wait=false");
    }

    [Test]
    public async Task The_server_accepts_every_object_of_its_kinds()
    {
        var versions = (await _server.KubectlAsync("api-versions")).Split('\n').ToHashSet();
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        var known = new JsonArray();
        foreach (var values in HelmChart.ValueSets)
        foreach (var item in await HelmChart.ObjectsAsync(values))
            if (OlderKubernetes.TryConvert(item, versions))
                known.Add(item);
            else
                // Admission policies are newer than this server; see ChartFenceTests.
                unknown.Add(
                    ((string)item["kind"]!).Contains("AdmissionPolicy", StringComparison.Ordinal)
                        ? GroupsOfOperators[0]
                        : (string)item["apiVersion"]!
                );
        Assert.That(unknown, Is.SubsetOf(GroupsOfOperators));
        // Roles for pull secrets are in the namespaces of those.
        foreach (var place in known.Select(item => (string?)item!["metadata"]!["namespace"]).OfType<string>().Distinct())
            await _server.KubectlWithInputAsync(
                $$$"""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{{place}}}"}}""",
                "apply",
                "-f",
                "-"
            );
        var list = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = known,
        };
        await _server.KubectlWithInputAsync(list.ToJsonString(), "apply", "--dry-run=server", "-o", "name", "-f", "-");
        Assert.That(known, Has.Count.GreaterThan(200));
    }

    [Test]
    public async Task Plain_manifests_can_be_applied_in_the_order_of_their_names()
    {
        var versions = (await _server.KubectlAsync("api-versions")).Split('\n').ToHashSet();
        foreach (var file in new[] { "00-namespace.yaml", "10-proxyswapper.yaml", "20-webhook.yaml" })
        {
            var known = YamlObjects
                .Read(await File.ReadAllTextAsync(SourceTree.PathOf("manifests", file)))
                .Where(item => OlderKubernetes.TryConvert(item, versions))
                .ToArray<JsonNode?>();
            await _server.KubectlWithInputAsync(
                new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "List",
                    ["items"] = new JsonArray(known),
                }.ToJsonString(),
                "apply",
                "-f",
                "-"
            );
        }
        Assert.That(await _server.Client.GetAsync($"{Webhooks}/{Webhook}", default), Is.Not.Null);
        await _server.Client.DeleteAsync($"{Webhooks}/{Webhook}", default);
    }

    [Test]
    public async Task The_hook_of_an_uninstallation_removes_that_webhook_and_can_do_nothing_else()
    {
        await _accounts.ApplyRightsAsync("default", hooks: true);
        await ApplyWebhookAsync();
        Assert.That(await _accounts.AllowedAsync("proxyswapper-uninstall", "team-a"), Is.EqualTo(new[] { "list pods", "patch pods" }));
        var job = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"))).Single(item => (string?)item["kind"] == "Job");
        var arguments = job["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!.AsArray().Select(argument => (string)argument!);
        var kubeconfig = _server.KubeconfigOf(await _accounts.TokenAsync("proxyswapper-uninstall"));
        Assert.That(
            await ProxySwapperProgram.RunAsync(arguments, ("KUBECONFIG", kubeconfig)),
            Is.EqualTo((0, $"Removed {Webhook}.\n", ""))
        );
        Assert.That(await _server.Client.GetAsync($"{Webhooks}/{Webhook}", default), Is.Null);
        Assert.That(
            await ProxySwapperProgram.RunAsync(arguments, ("KUBECONFIG", kubeconfig)),
            Is.EqualTo((0, $"{Webhook} not found: nothing to remove.\n", ""))
        );
        var other = await ProxySwapperProgram.RunAsync(["disable", "--discard", "--name", "another"], ("KUBECONFIG", kubeconfig));
        Assert.That(other.ExitCode, Is.EqualTo(1));
        Assert.That(other.Error, Does.Contain("forbidden (HTTP 403)"));
    }

    [Test]
    public async Task Operators_can_disable_and_enable_with_the_role_for_it()
    {
        await _accounts.ApplyRightsAsync("pull-secrets-in-namespaces");
        await _accounts.ApplyAsync(
            (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"))).Where(item => (string?)item["kind"] == "ConfigMap")
        );
        var before = await ApplyWebhookAsync();
        await _server.KubectlWithInputAsync(
            """
            ---
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: on-call, namespace: NAMESPACE}}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: on-call}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: proxyswapper-switch}
            subjects: [{kind: ServiceAccount, name: on-call, namespace: NAMESPACE}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: on-call, namespace: NAMESPACE}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: proxyswapper-switch}
            subjects: [{kind: ServiceAccount, name: on-call, namespace: NAMESPACE}]
            """.Replace("NAMESPACE", Namespace, StringComparison.Ordinal),
            "apply",
            "-f",
            "-"
        );
        var kubeconfig = _server.KubeconfigOf(await _accounts.TokenAsync("on-call"));
        Assert.That((await ProxySwapperProgram.RunAsync(["disable"], ("KUBECONFIG", kubeconfig))).Error, Is.Empty);
        Assert.That(await _server.Client.GetAsync($"{Webhooks}/{Webhook}", default), Is.Null);
        Assert.That(
            (await ProxySwapperProgram.RunAsync(["enable"], ("KUBECONFIG", kubeconfig))).Error,
            Does.Contain("use --config-map NAMESPACE/NAME")
        );
        Assert.That(
            (
                await ProxySwapperProgram.RunAsync(["enable", "--config-map", $"{Namespace}/proxyswapper"], ("KUBECONFIG", kubeconfig))
            ).Output,
            Is.EqualTo($"Restored {Webhook}: images are rewritten again.\n")
        );
        Assert.That(
            (await _server.Client.GetAsync($"{Webhooks}/{Webhook}", default))!["webhooks"]!.ToJsonString(),
            Is.EqualTo(before["webhooks"]!.ToJsonString())
        );
    }

    [Test]
    public async Task Excluded_namespaces_and_what_opts_out_are_left_unchanged()
    {
        await using var process = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com\npopulate: {policy: none}");
        await ApplyWebhookAsync(process);
        var (open, closed) = (await _server.CreateNamespaceAsync(), await _server.CreateNamespaceAsync());
        await _server.KubectlAsync("label", "namespace", closed, "proxyswapper.io/ignore=true");
        await TestWait.UntilAsync(
            async () => await ImageAsync(open, "") == "registry.example.com/library/nginx:latest",
            "the webhook's taking effect"
        );
        Assert.That(
            await ImageAsync(open, """{"proxyswapper.io/ignore":"false"}"""),
            Is.EqualTo("registry.example.com/library/nginx:latest")
        );
        Assert.That(await ImageAsync(open, """{"proxyswapper.io/ignore":"true"}"""), Is.EqualTo("nginx"));
        Assert.That(await ImageAsync(closed, ""), Is.EqualTo("nginx"));
        Assert.That(await ImageAsync(Namespace, ""), Is.EqualTo("nginx"));
        Assert.That(await ImageAsync("kube-system", ""), Is.EqualTo("nginx"));
        await _server.Client.DeleteAsync($"{Webhooks}/{Webhook}", default);
    }

    private static string NamespaceOf(string name) =>
        $"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    kubernetes.io/metadata.name: {name}\n";

    /// <summary>The image of a Pod after admission.</summary>
    private async Task<string> ImageAsync(string @namespace, string labels)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = "tried", ["labels"] = labels.Length == 0 ? null : JsonNode.Parse(labels) },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "a", ["image"] = "nginx" }) },
        };
        var admitted = await _server.Client.PostAsync($"/api/v1/namespaces/{@namespace}/pods?dryRun=All", pod, default);
        return (string)admitted["spec"]!["containers"]![0]!["image"]!;
    }

    /// <summary>The chart's webhook configuration, for a process instead of the Service if one is given.</summary>
    private async Task<JsonObject> ApplyWebhookAsync(ProxySwapperProcess? process = null)
    {
        var webhook = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"))).Single(item =>
            (string?)item["kind"] == "MutatingWebhookConfiguration"
        );
        if (process is not null)
            webhook["webhooks"]![0]!["clientConfig"] = new JsonObject
            {
                ["url"] = $"https://localhost:{process.Port}/mutate",
                ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(process.Certificates.AuthorityPem)),
            };
        await _accounts.ApplyAsync([webhook]);
        return (await _server.Client.GetAsync($"{Webhooks}/{Webhook}", default))!;
    }
}
