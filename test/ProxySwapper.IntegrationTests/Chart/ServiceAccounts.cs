using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The permissions of the release's ServiceAccounts on an API server, and clients with their tokens.</summary>
internal sealed class ServiceAccounts(KubeApiServer server)
{
    /// <summary>
    /// Of all permissions that some part of the program could use, those that an account has in a namespace, for all objects or for one
    /// by name.
    /// </summary>
    public async Task<IReadOnlyList<string>> AllowedAsync(string account, string @namespace, string? name = null)
    {
        (string Group, string Resource)[] resources =
        [
            ("", "pods"),
            ("events.k8s.io", "events"),
            ("", "events"),
            ("", "secrets"),
            ("", "serviceaccounts"),
            ("", "configmaps"),
            ("", "namespaces"),
            ("apps", "deployments"),
            ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
            ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
            ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
            ("rbac.authorization.k8s.io", "clusterroles"),
            ("coordination.k8s.io", "leases"),
        ];
        var allowed = new List<string>();
        foreach (var (group, resource) in resources)
        foreach (var verb in new[] { "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection" })
        {
            var review = await server.Client.PostAsync(
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                new JsonObject
                {
                    ["apiVersion"] = "authorization.k8s.io/v1",
                    ["kind"] = "SubjectAccessReview",
                    ["spec"] = new JsonObject
                    {
                        ["user"] = $"system:serviceaccount:{HelmChart.Release}:{account}",
                        ["groups"] = new JsonArray(
                            "system:serviceaccounts",
                            $"system:serviceaccounts:{HelmChart.Release}",
                            "system:authenticated"
                        ),
                        ["resourceAttributes"] = new JsonObject
                        {
                            ["namespace"] = @namespace,
                            ["name"] = name,
                            ["verb"] = verb,
                            ["group"] = group,
                            ["resource"] = resource,
                        },
                    },
                },
                default
            );
            if ((bool)review["status"]!["allowed"]!)
                allowed.Add($"{verb} {resource}{(group.Length == 0 ? "" : $".{group}")}");
        }
        return allowed;
    }

    /// <summary>Replaces the accounts and permissions with those of a set of values.</summary>
    public async Task ApplyRightsAsync(string set, bool hooks = false)
    {
        await server.KubectlAsync("delete", "clusterroles,clusterrolebindings", "-l", $"app.kubernetes.io/instance={HelmChart.Release}");
        foreach (var name in new[] { HelmChart.Release, "team-a", "team-b" })
            await server.KubectlAsync("-n", name, "delete", "roles,rolebindings", "-l", $"app.kubernetes.io/instance={HelmChart.Release}");
        await ApplyAsync(
            (await HelmChart.ObjectsAsync(HelmChart.ValueSet(set)))
                .Where(item =>
                    (string)item["kind"]! is "ServiceAccount" or "Role" or "RoleBinding" or "ClusterRole" or "ClusterRoleBinding"
                )
                .Where(item => hooks || item["metadata"]!["annotations"]?["helm.sh/hook"] is null)
        );
    }

    /// <summary>Applies objects as an administrator.</summary>
    public Task<string> ApplyAsync(IEnumerable<JsonObject> objects) =>
        server.KubectlWithInputAsync(
            new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "List",
                ["items"] = new JsonArray([.. objects]),
            }.ToJsonString(),
            "apply",
            "-f",
            "-"
        );

    public async Task<string> TokenAsync(string account, string @namespace = HelmChart.Release)
    {
        var request = await server.Client.PostAsync(
            $"/api/v1/namespaces/{@namespace}/serviceaccounts/{account}/token",
            new JsonObject
            {
                ["apiVersion"] = "authentication.k8s.io/v1",
                ["kind"] = "TokenRequest",
                ["spec"] = new JsonObject { ["audiences"] = new JsonArray("https://kubernetes.default.svc") },
            },
            default
        );
        return (string)request["status"]!["token"]!;
    }

    public async Task<KubernetesClient> ClientOfAsync(string account) =>
        new(new KubeconfigReader(TimeProvider.System).Read([server.KubeconfigOf(await TokenAsync(account))], null), TimeProvider.System);
}
