using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>
/// The Events of a downstream registry that rejects our login, on a real API server, written with the permissions of the chart alone.
/// </summary>
[TestFixture, NeedsServer]
internal sealed class AccessEventTests
{
    private const string PodName = "proxyswapper-of-a-test";

    private volatile bool _rejectsLogin = true;

    [Test]
    public async Task A_rejected_login_and_its_end_are_events_of_the_programs_own_pod()
    {
        var server = await ControlPlane.GetAsync();
        var account = await AccountAsync(server);
        await using var downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    if (!_rejectsLogin || context.Request.Path == "/v2/")
                        return next(context);
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    return Task.CompletedTask;
                },
            }
        );
        await using var program = await ProxySwapperProcess.StartAsync(
            $$"""
            rules: [{match: docker.io, target: "{{downstream.Address}}/mirror"}]
            proxyHealth: {interval: 1s, fallback: true}
            """,
            new Dictionary<string, string> { ["KUBECONFIG"] = account, ["POD_NAME"] = PodName }
        );
        var failing = await EventAsync(server, "RegistryFailing", downstream.Address);
        Assert.That(
            ((string?)failing["type"], (string?)failing["involvedObject"]!["name"], (string?)failing["involvedObject"]!["kind"]),
            Is.EqualTo(("Warning", PodName, "Pod"))
        );
        Assert.That((string?)failing["message"], Does.Contain("HTTP 401").And.Contain("unchanged"));
        _rejectsLogin = false;
        var recovered = await EventAsync(server, "RegistryRecovered", downstream.Address);
        Assert.That((string?)recovered["type"], Is.EqualTo("Normal"));
        Assert.That(program.Log, Does.Not.Contain("Cannot write"));
    }

    /// <summary>What <c>kubectl get events</c> shows.</summary>
    private static async Task<JsonNode> EventAsync(KubeApiServer server, string reason, string registry)
    {
        JsonNode? found = null;
        await TestWait.UntilAsync(
            async () =>
            {
                var list = JsonNode.Parse(
                    await server.KubectlAsync("get", "events", "-A", "--field-selector", $"reason={reason}", "-o", "json")
                )!;
                found = list["items"]!
                    .AsArray()
                    .FirstOrDefault(item => ((string?)item!["message"])?.Contains(registry, StringComparison.Ordinal) == true);
                return found is not null;
            },
            $"the Event {reason}"
        );
        return found!;
    }

    /// <summary>A kubeconfig of an account that has the chart's ClusterRole.</summary>
    private static async Task<string> AccountAsync(KubeApiServer server)
    {
        var name = await server.CreateNamespaceAsync();
        var role = (await HelmChart.ObjectsAsync(HelmChart.ValueSet("default"), "--kube-version", "1.36.0")).Single(item =>
            (string?)item["kind"] == "ClusterRole" && (string?)item["metadata"]!["name"] == HelmChart.Release
        );
        role["metadata"]!["name"] = name;
        await server.KubectlWithInputAsync(role.ToJsonString(), "apply", "-f", "-");
        await server.KubectlAsync("-n", name, "create", "serviceaccount", "proxyswapper");
        await server.KubectlAsync("create", "clusterrolebinding", name, $"--clusterrole={name}", $"--serviceaccount={name}:proxyswapper");
        return server.KubeconfigOf(await new ServiceAccounts(server).TokenAsync("proxyswapper", name));
    }
}
