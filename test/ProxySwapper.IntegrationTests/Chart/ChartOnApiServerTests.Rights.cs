using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <content>What the webhook's account may do, by acting as it.</content>
internal sealed partial class ChartOnApiServerTests
{
    [Test]
    public async Task The_webhooks_account_may_do_what_population_needs_and_nothing_else()
    {
        await _accounts.ApplyRightsAsync("default");
        Assert.That(
            await _accounts.AllowedAsync("proxyswapper", "team-a"),
            Is.EqualTo(new[] { "list pods", "watch pods", "patch pods", "create events.events.k8s.io", "patch events.events.k8s.io" })
        );
        Assert.That(
            (await _accounts.AllowedAsync("proxyswapper", Namespace)).Where(right =>
                right.EndsWith("leases.coordination.k8s.io", StringComparison.Ordinal)
            ),
            Is.EqualTo(new[] { "get", "list", "watch", "create", "update", "delete" }.Select(verb => $"{verb} leases.coordination.k8s.io"))
        );
        using var client = await _accounts.ClientOfAsync("proxyswapper");
        Assert.That((string?)(await client.GetAsync("/api/v1/pods", default))!["kind"], Is.EqualTo("PodList"));
        await new EventWriter(client, "test", TimeProvider.System).WriteAsync(
            new EventSubject("v1", "Pod", "team-a", "some", null),
            new EventContent("ImagePopulateFailed", "Copying", "written by a test"),
            default
        );
        await ClaimAsync(client, Namespace);
        Assert.That(
            Assert.ThrowsAsync<KubernetesException>(() => ClaimAsync(client, "team-a"))!.Status,
            Is.EqualTo(HttpStatusCode.Forbidden),
            "Leases elsewhere"
        );
        await _server.KubectlAsync("-n", "team-a", "run", "web", "--image=nginx:1", "--restart=Never");
        await new PodClient(client).PatchAsync(
            "team-a",
            "web",
            JsonNode.Parse("""[{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:2"}]""")!.AsArray(),
            "test",
            default
        );
        await _server.KubectlAsync("-n", "team-a", "delete", "pod", "web", "--wait=false");
        foreach (
            var path in new[]
            {
                "/api/v1/namespaces/team-a/secrets",
                "/api/v1/namespaces/team-a/secrets/x",
                "/api/v1/namespaces/team-a/pods/x",
                "/api/v1/namespaces/proxyswapper/configmaps/proxyswapper",
                $"{Webhooks}/{Webhook}",
            }
        )
            Assert.That(
                Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync(path, default))!.Status,
                Is.EqualTo(HttpStatusCode.Forbidden),
                path
            );
    }

    [TestCase("populate-none-without-gates", "")]
    [TestCase("populate-none", "list pods, watch pods, patch pods, create events.events.k8s.io, patch events.events.k8s.io")]
    public async Task Without_population_the_account_may_at_most_release_pods(string set, string allowed)
    {
        await _accounts.ApplyRightsAsync(set);
        Assert.That(string.Join(", ", await _accounts.AllowedAsync("proxyswapper", "team-a")), Is.EqualTo(allowed));
    }

    [Test]
    public async Task Pull_secrets_are_read_by_name_in_the_listed_namespaces_alone()
    {
        await _accounts.ApplyRightsAsync("pull-secrets-in-namespaces");
        Assert.That(
            await _accounts.AllowedAsync("proxyswapper", "team-a"),
            Is.EquivalentTo(
                new[]
                {
                    "list pods",
                    "watch pods",
                    "patch pods",
                    "create events.events.k8s.io",
                    "patch events.events.k8s.io",
                    "get secrets",
                    "get serviceaccounts",
                }
            )
        );
        Assert.That(
            await _accounts.AllowedAsync("proxyswapper", "default"),
            Is.EquivalentTo(new[] { "list pods", "watch pods", "patch pods", "create events.events.k8s.io", "patch events.events.k8s.io" })
        );
    }

    /// <summary>Everything that a claim does with its Lease.</summary>
    private static async Task ClaimAsync(KubernetesClient client, string @namespace)
    {
        var leases = new LeaseClient(client);
        var wanted = new Lease(@namespace, "claim") { HolderIdentity = "one", Duration = TimeSpan.FromSeconds(30) };
        var created = (await leases.TryCreateAsync(wanted, default))!;
        var renewed = (await leases.TryUpdateAsync(created with { RenewTime = client.ServerTime }, default))!;
        Assert.That((await leases.GetAsync(@namespace, "claim", default))!.RenewTime, Is.EqualTo(renewed.RenewTime));
        Assert.That(await leases.TryDeleteAsync(renewed, default), Is.True);
    }
}
