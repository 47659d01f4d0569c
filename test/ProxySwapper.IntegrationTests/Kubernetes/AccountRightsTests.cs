using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Kubernetes;

/// <summary>Service accounts with few permissions on a real API server.</summary>
[TestFixture, NeedsServer]
internal sealed class AccountRightsTests
{
    private KubeApiServer _server = null!;
    private string _namespace = null!;

    [SetUp]
    public async Task MakeNamespace()
    {
        _server = await ControlPlane.GetAsync();
        _namespace = await _server.CreateNamespaceAsync();
    }

    [Test]
    public async Task A_forbidden_call_is_reported_with_verb_resource_and_reason()
    {
        var account = await _server.KubectlWithInputAsync(
            """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"nobody"}}""",
            "-n",
            _namespace,
            "apply",
            "-o",
            "name",
            "-f",
            "-"
        );
        Assert.That(account.Trim(), Is.EqualTo("serviceaccount/nobody"));
        using var client = await ClientOfAsync("nobody");
        var fault = Assert.ThrowsAsync<KubernetesException>(() => client.ReadListAsync("/api/v1/pods", _ => { }, default));
        Assert.That(
            fault!.Message,
            Is.EqualTo(
                $"list pods: forbidden (HTTP 403): pods is forbidden: User \"system:serviceaccount:{_namespace}:nobody\" "
                    + "cannot list resource \"pods\" in API group \"\" at the cluster scope"
            )
        );
    }

    [Test]
    public async Task An_account_that_may_only_patch_pods_reads_and_changes_them()
    {
        await _server.KubectlAsync("-n", _namespace, "run", "web", "--image=nginx", "--restart=Never");
        await _server.KubectlWithInputAsync(
            """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"patcher"}}""",
            "-n",
            _namespace,
            "apply",
            "-f",
            "-"
        );
        await _server.KubectlAsync("-n", _namespace, "create", "role", "patcher", "--verb=patch", "--resource=pods");
        await _server.KubectlAsync(
            "-n",
            _namespace,
            "create",
            "rolebinding",
            "patcher",
            "--role=patcher",
            $"--serviceaccount={_namespace}:patcher"
        );
        using var client = await ClientOfAsync("patcher");
        var pods = new PodClient(client);
        Assert.That(
            () => client.GetAsync($"/api/v1/namespaces/{_namespace}/pods/web", default),
            Throws.TypeOf<KubernetesException>().With.Message.StartWith($"get pods {_namespace}/web: forbidden (HTTP 403): ")
        );
        Assert.That(
            (string?)(await pods.ReadByPatchAsync(_namespace, "web", default))!["spec"]!["containers"]![0]!["image"],
            Is.EqualTo("nginx")
        );
        Assert.That(await pods.ReadByPatchAsync(_namespace, "gone", default), Is.Null);
        var patch = new JsonArray(
            new JsonObject
            {
                ["op"] = "test",
                ["path"] = "/spec/containers/0/image",
                ["value"] = "nginx",
            },
            new JsonObject
            {
                ["op"] = "replace",
                ["path"] = "/spec/containers/0/image",
                ["value"] = "mirror.local/nginx",
            }
        );
        var pod = await pods.PatchAsync(_namespace, "web", patch, "proxyswapper", default);
        Assert.That(
            (string?)pod["metadata"]!["managedFields"]!.AsArray().Select(entry => entry!["manager"]).Last(),
            Is.EqualTo("proxyswapper")
        );
        var fault = Assert.ThrowsAsync<KubernetesException>(() =>
            pods.PatchAsync(_namespace, "web", (JsonArray)patch.DeepClone(), "proxyswapper", default)
        )!;
        Assert.That((fault.Status, fault.Reason), Is.EqualTo((HttpStatusCode.UnprocessableEntity, "Invalid")));
        var reviews = new AccessReviewClient(client);
        Assert.That(await reviews.IsAllowedAsync(new ResourceAccess("patch", ResourceType.Pods, _namespace), default), Is.True);
        Assert.That(await reviews.IsAllowedAsync(new ResourceAccess("patch", ResourceType.Pods), default), Is.False);
        Assert.That(await reviews.IsAllowedAsync(new ResourceAccess("create", ResourceType.Leases, _namespace), default), Is.False);
        Assert.That((await KubernetesVersion.GetAsync(client, default)).IsAtLeast(1, 20), Is.True);
    }

    private async Task<KubernetesClient> ClientOfAsync(string account)
    {
        var path = $"/api/v1/namespaces/{_namespace}/serviceaccounts/{account}/token";
        var token = (string?)
            (await _server.Client.PostAsync(path, new JsonObject { ["spec"] = new JsonObject() }, default))["status"]!["token"];
        return new KubernetesClient(
            new KubeconfigReader(TimeProvider.System).Read([_server.KubeconfigOf(token!)], null),
            TimeProvider.System
        );
    }
}
