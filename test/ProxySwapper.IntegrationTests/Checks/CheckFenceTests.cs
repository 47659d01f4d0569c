using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Checks;

/// <summary>The admission policy that restricts the account of the chart's test to dry runs, on an API server with such policies.</summary>
[TestFixture, NonParallelizable, NeedsServer, NeedsModernServer]
internal sealed class CheckFenceTests
{
    private const string Pod =
        """{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"tried-"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}""";

    [Test]
    public async Task The_tests_account_makes_pods_by_dry_run_alone()
    {
        var server = await ModernControlPlane.GetAsync();
        var @namespace = await server.CreateNamespaceAsync();
        var policy = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"), "--kube-version", "1.36.0"))
            .Where(item => ChartObjects.IsHook(item, "test"))
            .Where(item => ((string)item["kind"]!).StartsWith("ValidatingAdmissionPolicy", StringComparison.Ordinal))
            .ToList();
        Assert.That(policy, Has.Count.EqualTo(2));
        foreach (var item in policy)
            await server.KubectlWithInputAsync(
                item.ToJsonString()
                    .Replace("system:serviceaccount:proxyswapper:proxyswapper-test", KubeApiServer.AccountUser, StringComparison.Ordinal),
                "apply",
                "--validate=false",
                "-f",
                "-"
            );
        try
        {
            using var account = new KubernetesClient(
                new KubeconfigReader(TimeProvider.System).Read([server.KubeconfigOf(KubeApiServer.AccountToken)], null),
                TimeProvider.System
            );
            await TestWait.UntilAsync(async () => await TryAsync(account, @namespace, "") == HttpStatusCode.Forbidden, "the policy");
            Assert.That(await TryAsync(account, @namespace, "?dryRun=All"), Is.Null);
            Assert.That(await TryAsync(server.Client, @namespace, ""), Is.Null, "others may");
        }
        finally
        {
            await server.KubectlAsync("delete", "validatingadmissionpolicybinding", "proxyswapper-test");
            await server.KubectlAsync("delete", "validatingadmissionpolicy", "proxyswapper-test");
        }
    }

    private static async Task<HttpStatusCode?> TryAsync(KubernetesClient client, string @namespace, string query)
    {
        try
        {
            await client.PostAsync(ResourceType.Pods.CollectionPath(@namespace) + query, JsonNode.Parse(Pod)!.AsObject(), default);
            return null;
        }
        catch (KubernetesException rejection)
        {
            return rejection.Status;
        }
    }
}
