using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Gates;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Tests.Reporting;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>Hostile responses of an API server, or of what responds in its place; see <see cref="HostileRun"/>.</summary>
[TestFixture, NonParallelizable]
internal sealed class HostileApiServerTests
{
    private const int Calls = 2_500;
    private const int FirstSeed = 20_261_127;

    [Test]
    public async Task Every_call_ends_with_a_result_or_a_sentence()
    {
        await using var server = new HostileServer(
            """{"major":"1","minor":"36","gitVersion":"v1.36.0","status":{"allowed":true,"reason":"x"}}""",
            """
            {"kind":"Status","apiVersion":"v1","metadata":{"continue":"c"},"status":"Failure","message":"no",
            "reason":"Conflict","code":409}
            """,
            """
            {"kind":"Lease","metadata":{"name":"a","namespace":"b","uid":"u","resourceVersion":"7","labels":{"a":"b"},
            "annotations":{"c":"d"}},
            "spec":{"holderIdentity":"h","leaseDurationSeconds":30,"acquireTime":"2026-01-01T00:00:00.000000Z","leaseTransitions":1}}
            """,
            """{"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"e30="},"imagePullSecrets":[{"name":"a"}]}""",
            """
            {"kind":"PodList","metadata":{"resourceVersion":"5","continue":""},"items":[{"metadata":{"name":"p","namespace":"n","uid":"u",
            "labels":{"a":"b"},"annotations":{"original-image.proxyswapper.io/c":"nginx"}},
            "spec":{"schedulingGates":[{"name":"proxyswapper.io/image"}],
            "containers":[{"name":"c","image":"nginx","imagePullPolicy":"Always"}],"imagePullSecrets":[{"name":"s"}]},
            "status":{"phase":"Pending",
            "images":[{"names":["nginx"],"sizeBytes":5}]}}]}
            """,
            """
            {"kind":"APIGroupList","groups":[{"name":"example.com","versions":[{"groupVersion":"example.com/v1"}],
            "preferredVersion":{"groupVersion":"example.com/v1"}}],"resources":[{"name":"things","kind":"Thing","namespaced":true,
            "verbs":["list"]}]}
            """,
            """
            {"type":"ADDED","object":{"metadata":{"name":"p","namespace":"n","uid":"u","resourceVersion":"8"},
            "spec":{"containers":[{"image":"a"}]}}}

            """
        );
        var run = new HostileRun(server, FirstSeed, Calls, fault => fault is KubernetesException or KubernetesConnectionException);
        await run.RunAsync(async seed =>
        {
            var connection = new KubernetesConnection(new Uri($"http://{server.Address}"), new FileCredentialSource(TimeProvider.System))
            {
                UsesEnvironmentProxy = false,
            };
            using var client = new KubernetesClient(connection, TimeProvider.System);
            await RunAsync(seed, client);
        });
    }

    private static async Task RunAsync(int seed, KubernetesClient client)
    {
        switch (seed % 10)
        {
            case 0:
                await KubernetesVersion.GetAsync(client, default);
                return;
            case 1:
                await new AccessReviewClient(client).IsAllowedAsync(new ResourceAccess("patch", ResourceType.Pods), default);
                return;
            case 2:
                var leases = new LeaseClient(client);
                if (await leases.GetAsync("n", "a", default) is { } lease)
                    await leases.TryUpdateAsync(lease, default);
                return;
            case 3:
                await new LeaseClient(client).TryCreateAsync(new Lease("n", "a"), default);
                return;
            case 4:
                await new PullSecretReader(client).DockerConfigAsync("n", "s", default);
                return;
            case 5:
                await new PullSecretReader(client).NamesOfAccountAsync("n", "default", default);
                return;
            case 6:
                var query = new ResourceQuery(ResourceType.Pods);
                await foreach (var _ in new PodClient(client).ListAsync(query, pod => (ListedPod.Read(pod), GatedPod.Read(pod)), default))
                { }
                return;
            case 7:
                await new EventWriter(client, "x", TimeProvider.System).WriteAsync(
                    new EventSubject("v1", "Pod", "n", "p", "u"),
                    new EventContent("Reason", "Action", "note"),
                    default
                );
                return;
            case 8:
                var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions()), ReportCluster.ChartDefaults);
                await new ClusterScan(client, null, new ReportProblems(), _ => { }).RunAsync(builder, default);
                return;
            default:
                using (var stream = await client.OpenAsync("/api/v1/pods?watch=true", TimeSpan.FromSeconds(5), default))
                {
                    var events = System.Threading.Channels.Channel.CreateUnbounded<WatchEvent<ListedPod>>();
                    await new WatchStream<ListedPod>(stream, ListedPod.Read, events.Writer, "1").ReadAsync();
                }
                return;
        }
    }
}
