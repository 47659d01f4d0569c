using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using static ProxySwapper.Benchmarks.Measurement;

namespace ProxySwapper.Benchmarks.Gate;

/// <summary>
/// The cost of a scheduling gate: 200 Pods with 40 new images in 10 seconds, two replicas that review half of the Pods each, two real
/// registries and an API server in this process. It measures the time from an image's tag being downstream until the API server has
/// released a Pod that waited for it. The same run copies as many images of the same sizes without Pods, each started when the first Pod
/// of an image was created, with the same concurrency: the last Pod must be released within 1.5 × the time of these copies.
/// </summary>
internal static class GateMeasurement
{
    public const string Name = "gate";
    private const int Images = 40;
    private const int Pods = 200;

    /// <summary>Parallel copies of one replica, and of both.</summary>
    private const int ParallelCopies = 4;
    private const int Replicas = 2;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);
    private static readonly HttpClient Http = new();

    /// <summary>The resolution of the times at which a tag appears and a Pod is released.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);

    public static async Task<int> RunAsync()
    {
        Environment.SetEnvironmentVariable(ProxySwapperProgram.Variable, await PublishedProgram.GetAsync());
        await using var upstream = await DebianRegistry.StartAsync();
        await using var downstream = await DebianRegistry.StartAsync();
        await using var server = await InMemoryApiServer.StartAsync();
        for (var index = 0; index < Images; index++)
            foreach (var (seed, repository) in new[] { (7000, "team/app"), (8000, "alone/app") })
                await TestImage
                    .Create(seed + index, layers: 3, layerSize: 200_000, "amd64")
                    .PushAsync(upstream.Address, $"{repository}{index}", "1");
        var alone = await CopiesAlone.RunAsync(upstream, downstream, Images, ParallelCopies * Replicas, Span);
        var kubeconfig = Path.GetTempFileName();
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
        await using var one = await StartAsync(upstream, downstream, kubeconfig, "one");
        await using var two = await StartAsync(upstream, downstream, kubeconfig, "two");
        using var client = ApiServers.Connect(server);
        await new ResourceClient(client, ResourceType.MutatingWebhookConfigurations).CreateAsync(null, Registration(one), default);
        await TestWait.UntilAsync(async () =>
        {
            await client.PostAsync("/api/v1/namespaces/team/pods?dryRun=All", Pod("probe", $"{upstream.Address}/probe:1"), default);
            return await IsReadyAsync(one) && await IsReadyAsync(two);
        });
        server.Requests.Clear();
        var clock = Stopwatch.StartNew();
        var copied = new ConcurrentDictionary<int, TimeSpan>();
        var (early, regated) = (0, 0);
        using var stop = new CancellationTokenSource();
        var watching = Enumerable.Range(0, Images).Select(index => CopiedAsync(downstream, index, clock, copied, stop.Token)).ToList();
        var released = await Task.WhenAll(
            Enumerable
                .Range(0, Pods)
                .Select(async index =>
                {
                    await Task.Delay(Span * index / Pods, TimeProvider.System);
                    if (index == Pods / 2)
                        await RouteReviewsAsync(client, two);
                    var created = clock.Elapsed;
                    await client.PostAsync(
                        "/api/v1/namespaces/team/pods",
                        Pod($"pod{index}", $"{upstream.Address}/team/app{index * Images / Pods}:1"),
                        default
                    );
                    while (IsGated(server.FindPod("team", $"pod{index}")!))
                        await Task.Delay(Poll, TimeProvider.System);
                    var at = clock.Elapsed;
                    // Checked after the release, so that the interval of the other polls does not matter.
                    if (!await IsDownstreamAsync(downstream, index * Images / Pods, default))
                        Interlocked.Increment(ref early);
                    return (Image: index * Images / Pods, Created: created, At: at);
                })
        );
        await Task.WhenAll(watching);
        // Of every image once more at each replica: all are known to both by now.
        foreach (var replica in new[] { two, one })
        {
            await RouteReviewsAsync(client, replica);
            for (var index = 0; index < Images; index++)
            {
                var pod = await client.PostAsync(
                    "/api/v1/namespaces/team/pods?dryRun=All",
                    Pod("known", $"{upstream.Address}/team/app{index}:1"),
                    default
                );
                if (IsGated(pod))
                    regated++;
            }
        }
        var waits = released
            .Where(pod => copied[pod.Image] > pod.Created)
            .Select(pod => (pod.At - copied[pod.Image]).TotalMilliseconds)
            .Order()
            .ToList();
        var last = released.Max(pod => pod.At);
        var copies = copied.Values.Max();
        var calls = server
            .Requests.Where(request => request.Key is not ("create pods" or "patch mutatingwebhookconfigurations"))
            .Sum(request => request.Value);
        return Print(
            Name,
            "two replicas, two docker-registry, an API server in memory",
            [
                new("median from the image's tag to the released Pod", Invariant($"{Median(waits):N1} ms")),
                new("p99", Invariant($"{waits[(int)(waits.Count * 0.99)]:N1} ms")),
                new("calls of the API server per Pod, its creation aside", Invariant($"{(double)calls / Pods:N2}")),
                new("patches per Pod", Invariant($"{(double)server.Requests.GetValueOrDefault("patch pods") / Pods:N2}")),
                new("calls about Leases per image", Invariant($"{LeasesOf(server) / (double)Images:N2}")),
                new("the same copies alone, the last one's end", Invariant($"{alone.Last.TotalSeconds:N2} s")),
                new("median of one copy alone", Invariant($"{Median(alone.Each):N1} ms")),
                new(
                    "median from the creation of an image's first Pod to its release",
                    Invariant($"{Median(released.GroupBy(pod => pod.Image).Select(FirstWait)):N1} ms")
                ),
                new("Pods released before their tag was visible", Invariant($"{early}"), "0", early == 0),
                new(
                    "Pods of known images that were gated, of one for each image at each replica",
                    Invariant($"{regated}"),
                    "0",
                    regated == 0
                ),
                Ratio("the last Pod's release to the end of the same copies alone", last / alone.Last, 1.5),
                Ratio("the last Pod's release to the last copy's end", last / copies, 1.5),
                new(
                    "blobs that left the source, each once",
                    Invariant($"{BlobsOf(upstream)}"),
                    Invariant($"{Images * 4}"),
                    BlobsOf(upstream) == Images * 4
                ),
            ]
        );
    }

    private static Task<ProxySwapperProcess> StartAsync(
        DebianRegistry upstream,
        DebianRegistry downstream,
        string kubeconfig,
        string name
    ) =>
        ProxySwapperProcess.StartAsync(
            $$"""
            rules: [{match: "{{upstream.Address}}", target: "{{downstream.Address}}"}]
            populate: {maxNumberOfParallelJobs: {{ParallelCopies}} }
            """,
            new Dictionary<string, string>(ContainerFile.Environment()) { ["KUBECONFIG"] = kubeconfig, ["POD_NAME"] = name }
        );

    private static double FirstWait(IEnumerable<(int Image, TimeSpan Created, TimeSpan At)> pods) =>
        pods.MinBy(pod => pod.Created) is var first ? (first.At - first.Created).TotalMilliseconds : 0;

    private static async Task<bool> IsReadyAsync(ProxySwapperProcess replica) =>
        (await replica.Management.GetStringAsync(new Uri("/readyz?verbose", UriKind.Relative))).Contains(
            "[+]watch ok",
            StringComparison.Ordinal
        ) && replica.Log.Contains("held back by a scheduling gate", StringComparison.Ordinal);

    private static async Task CopiedAsync(
        DebianRegistry downstream,
        int index,
        Stopwatch clock,
        ConcurrentDictionary<int, TimeSpan> copied,
        CancellationToken cancellationToken
    )
    {
        while (!await IsDownstreamAsync(downstream, index, cancellationToken))
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        copied[index] = clock.Elapsed;
    }

    private static async Task<bool> IsDownstreamAsync(DebianRegistry downstream, int index, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"http://{downstream.Address}/v2/team/app{index}/manifests/1");
        request.Headers.Add("Accept", "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json");
        using var response = await Http.SendAsync(request, cancellationToken);
        return response.IsSuccessStatusCode;
    }

    private static int LeasesOf(InMemoryApiServer server) =>
        server.Requests.Where(request => request.Key.EndsWith(" leases", StringComparison.Ordinal)).Sum(request => request.Value);

    /// <summary>The number of GETs of blobs in the registry's access log.</summary>
    private static int BlobsOf(DebianRegistry upstream) =>
        upstream
            .Output.Split('\n')
            .Count(line =>
                line.Contains("\"GET /v2/team/", StringComparison.Ordinal) && line.Contains("/blobs/sha256:", StringComparison.Ordinal)
            );

    private static bool IsGated(JsonObject pod) => pod["spec"]!["schedulingGates"] is JsonArray { Count: > 0 };

    private static JsonObject Pod(string name, string image) =>
        JsonNode.Parse($$"""{"metadata":{"name":"{{name}}"},"spec":{"containers":[{"name":"main","image":"{{image}}"}]} }""")!.AsObject();

    /// <summary>Sends the reviews of the next Pods to a replica, as a Service does with some of them.</summary>
    private static async Task RouteReviewsAsync(KubernetesClient client, ProxySwapperProcess replica) =>
        await client.PatchAsync(
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gate",
            PatchKind.Json,
            new JsonArray(
                new JsonObject
                {
                    ["op"] = "replace",
                    ["path"] = "/webhooks/0/clientConfig",
                    ["value"] = Registration(replica)["webhooks"]![0]!["clientConfig"]!.DeepClone(),
                }
            ),
            default
        );

    private static JsonObject Registration(ProxySwapperProcess replica) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = "gate" },
            ["webhooks"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "swap.proxyswapper.io",
                    ["failurePolicy"] = "Ignore",
                    ["clientConfig"] = new JsonObject
                    {
                        ["url"] = $"https://localhost:{replica.Port}/mutate",
                        ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(replica.Certificates.AuthorityPem)),
                    },
                    ["rules"] = new JsonArray(
                        new JsonObject { ["operations"] = new JsonArray("CREATE"), ["resources"] = new JsonArray("pods") }
                    ),
                }
            ),
        };
}
