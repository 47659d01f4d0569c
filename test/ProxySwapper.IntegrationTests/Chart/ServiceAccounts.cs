using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>What accounts of the release may do on an API server, and how tests act as them.</summary>
internal sealed class ServiceAccounts(KubeApiServer server)
{
    /// <summary>Of the rights that any part of the program could want, those that an account has in a namespace.</summary>
    public async Task<IReadOnlyList<string>> AllowedAsync(string account, string @namespace)
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

    public async Task<string> TokenAsync(string account)
    {
        var request = await server.Client.PostAsync(
            $"/api/v1/namespaces/{HelmChart.Release}/serviceaccounts/{account}/token",
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
