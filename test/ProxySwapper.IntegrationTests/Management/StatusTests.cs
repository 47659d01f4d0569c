using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Management;

/// <summary><c>proxyswapper status</c> with the address of a management port, and by port-forward through a real API server.</summary>
[TestFixture, NeedsServer]
internal sealed class StatusTests
{
    private const string Token = "a-token-of-this-test";
    private const string Rules = "rules: [{match: docker.io, target: registry.example.com/hub}]\npopulate: {policy: none}\n";
    private const string WithToken = $"{Rules}management: {{tokenFrom: {{env: MANAGEMENT_TOKEN}}}}\n";

    private static readonly Dictionary<string, string> TokenEnvironment = new() { ["MANAGEMENT_TOKEN"] = Token };

    [Test]
    public async Task An_address_shows_the_state_and_a_token_is_required_where_there_is_one()
    {
        await using var program = await ProxySwapperProcess.StartAsync(WithToken, TokenEnvironment);
        var url = $"http://localhost:{program.ManagementPort}";
        var file = Path.Combine(program.Folder, "token");
        await File.WriteAllTextAsync(file, $"{Token}\n");

        var shown = await ProxySwapperProgram.RunAsync(["status", url, "--token-file", file]);
        Assert.That(shown, Is.EqualTo((0, shown.Output, "")));
        Assert.That(shown.Output, Does.Contain("All is well").And.Contain("docker.io -> registry.example.com/hub"));
        Assert.That(
            (await ProxySwapperProgram.RunAsync(["status", $"{url}/"], ("MANAGEMENT_TOKEN", Token))).ExitCode,
            Is.Zero,
            "from the environment"
        );

        var without = await ProxySwapperProgram.RunAsync(["status", url]);
        Assert.That((without.ExitCode, without.Output), Is.EqualTo((1, "")));
        Assert.That(without.Error, Does.Contain("unauthorized (HTTP 401): the management token is required; use --token-file"));
        await File.WriteAllTextAsync(file, "another");
        var wrong = await ProxySwapperProgram.RunAsync(["status", url, "--token-file", file]);
        Assert.That((wrong.ExitCode, wrong.Error), Is.EqualTo((1, wrong.Error)));
        Assert.That(wrong.Error, Does.Contain("the management token is wrong").And.Not.Contain("another"));
    }

    [TestCase(2, "must be an http or https URL", "status", "localhost:9090")]
    [TestCase(2, "URL must be an http or https URL without user and password", "status", "http://me:secret@localhost")]
    [TestCase(2, "--token-file: ", "status", "--token-file", "/does/not/exist")]
    [TestCase(2, "--token-file: ", "status", "http://localhost:1", "--token-file", "/does/not/exist")]
    [TestCase(1, "GET http://127.0.0.1:1/populate: ", "status", "http://127.0.0.1:1")]
    public async Task Mistakes_are_reported_in_one_sentence(int exitCode, string text, params string[] arguments)
    {
        var result = await ProxySwapperProgram.RunAsync(arguments);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((exitCode, "")), result.Error);
        Assert.That(result.Error, Does.Contain(text).And.Not.Contain("   at "));
    }

    [Test]
    public async Task Without_an_address_all_replicas_are_read_by_port_forward()
    {
        var server = await ControlPlane.GetAsync();
        var @namespace = await server.CreateNamespaceAsync();
        await using var node = await FakeKubelet.StartAsync(server);
        await using var first = await ProxySwapperProcess.StartAsync(RulesTo("first.example.com"));
        await using var second = await ProxySwapperProcess.StartAsync(RulesTo("second.example.com"));
        await CreateReplicaAsync(server, node, @namespace, "first", first.ManagementPort);
        await CreateReplicaAsync(server, node, @namespace, "second", second.ManagementPort);
        await CreateReplicaAsync(server, node, @namespace, "pending", 9, phase: "Pending");
        var accounts = new ServiceAccounts(server);
        await server.KubectlAsync("-n", @namespace, "create", "serviceaccount", "person");
        var kubeconfig = server.KubeconfigOf(await accounts.TokenAsync("person", @namespace));

        var none = await StatusAsync(kubeconfig, @namespace);
        Assert.That((none.ExitCode, none.Output), Is.EqualTo((1, "")));
        Assert.That(none.Error, Does.Contain("cannot list resource \"pods\""));

        await GrantAsync(server, @namespace, "list", "pods");
        var unread = await StatusAsync(kubeconfig, @namespace);
        Assert.That((unread.ExitCode, unread.Output.Trim()), Is.EqualTo((1, "")));
        Assert.That(
            unread.Error,
            Does.Contain("cannot get resource \"pods/portforward\"")
                .And.Contain($"; grant get and create of pods/portforward in namespace {@namespace}")
        );

        await GrantAsync(server, @namespace, "get", "pods/portforward");
        var both = await StatusAsync(kubeconfig, @namespace);
        Assert.That((both.ExitCode, both.Error), Is.EqualTo((0, "")));
        Assert.That(both.Output, Does.Contain("-> first.example.com").And.Contain("-> second.example.com").And.Not.Contain("pending"));

        await CreateReplicaAsync(server, node, @namespace, "dead", TestProcess.FreePort());
        var some = await StatusAsync(kubeconfig, @namespace);
        Assert.That(some.ExitCode, Is.EqualTo(1), "one replica does not respond");
        Assert.That(some.Output, Does.Contain("-> first.example.com").And.Contain("-> second.example.com"));
        Assert.That(some.Error, Does.Contain($"Pod {@namespace}/dead: GET http://localhost:").And.Contain("Connection refused"));
    }

    [Test]
    public async Task A_token_passes_the_API_server()
    {
        var server = await ControlPlane.GetAsync();
        var @namespace = await server.CreateNamespaceAsync();
        await using var node = await FakeKubelet.StartAsync(server);
        await using var program = await ProxySwapperProcess.StartAsync(WithToken, TokenEnvironment);
        await CreateReplicaAsync(server, node, @namespace, "closed", program.ManagementPort);
        var without = await StatusAsync(server.Kubeconfig, @namespace);
        Assert.That((without.ExitCode, without.Output), Is.EqualTo((1, "")));
        Assert.That(without.Error, Does.Contain("unauthorized (HTTP 401): the management token is required; use --token-file"));
        var file = Path.Combine(program.Folder, "token");
        await File.WriteAllTextAsync(file, Token);
        var shown = await StatusAsync(server.Kubeconfig, @namespace, "--token-file", file);
        Assert.That((shown.ExitCode, shown.Error), Is.EqualTo((0, "")));
        Assert.That(shown.Output, Does.Contain("docker.io -> registry.example.com/hub"));
    }

    private static string RulesTo(string target) => Rules.Replace("registry.example.com", target, StringComparison.Ordinal);

    private static Task<(int ExitCode, string Output, string Error)> StatusAsync(
        string kubeconfig,
        string @namespace,
        params string[] more
    ) => ProxySwapperProgram.RunAsync(["status", "--kubeconfig", kubeconfig, "-n", @namespace, .. more]);

    private static Task<string> GrantAsync(KubeApiServer server, string @namespace, string verb, string resource) =>
        server.KubectlWithInputAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: "{{verb}}", namespace: {{@namespace}}}
            rules: [{apiGroups: [""], resources: ["{{resource}}"], verbs: ["{{verb}}"]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: "{{verb}}", namespace: {{@namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "{{verb}}"}
            subjects: [{kind: ServiceAccount, name: person, namespace: {{@namespace}}}]
            """,
            "apply",
            "-f",
            "-"
        );

    /// <summary>A Pod on this machine as its node, with the management port of a program on it.</summary>
    private static async Task CreateReplicaAsync(
        KubeApiServer server,
        FakeKubelet node,
        string @namespace,
        string name,
        int port,
        string phase = "Running"
    )
    {
        var pods = $"/api/v1/namespaces/{@namespace}/pods";
        var pod = JsonNode
            .Parse(
                $$"""
                {"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"name": "{{name}}",
                   "labels": {"app.kubernetes.io/name": "proxyswapper", "app.kubernetes.io/component": "webhook"} },
                 "spec": {"nodeName": "{{node.Name}}", "containers": [{"name": "proxyswapper", "image": "registry.example.com/proxyswapper",
                   "ports": [{"name": "webhook", "containerPort": 8443}, {"name": "management", "containerPort": {{port}}}]}]} }
                """
            )!
            .AsObject();
        await server.Client.PostAsync(pods, pod, default);
        var status = new JsonObject { ["status"] = new JsonObject { ["phase"] = phase } };
        await server.Client.PatchAsync($"{pods}/{name}/status", PatchKind.Merge, status, default);
    }
}
