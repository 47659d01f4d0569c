using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Many Pods with many new images at once, with two replicas of the built program and two real registries.</summary>
[TestFixture, NonParallelizable, NeedsServer]
internal sealed partial class GateLoadTests
{
    private const int Pods = 200;
    private const int Images = 40;

    /// <summary>Two layers and a configuration.</summary>
    private const int BlobsOfAnImage = 3;
    private static readonly HttpClient Http = new();
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    /// <summary>
    /// From the last copy to the last release. Not a share of the time until then, most of which is the 10 seconds of arrivals; the
    /// benchmark <c>gate</c> compares with copies alone.
    /// </summary>
    private static readonly TimeSpan MaximumDelay = TimeSpan.FromSeconds(2);

    [Test]
    public async Task Two_hundred_pods_with_forty_images_wait_no_longer_than_the_copies_take()
    {
        await using var upstream = await DebianRegistry.StartAsync();
        await using var downstream = await DebianRegistry.StartAsync();
        await using var scene = await GateScene.CreateAsync(registries: (upstream.Address, downstream.Address));
        var images = await Task.WhenAll(Enumerable.Range(0, Images).Select(index => PushAsync(scene, index)));
        await scene.StartReplicaAsync("populate: {maxNumberOfParallelJobs: 4}");
        await scene.StartReplicaAsync("populate: {maxNumberOfParallelJobs: 4}", isRegistered: false);
        var watch = Stopwatch.StartNew();
        var early = new List<string>();
        var pods = Enumerable
            .Range(0, Pods)
            .Select(index => ObserveAsync(scene, index, images[index * Images / Pods], watch, early))
            .ToList();
        foreach (var (_, target) in images)
            await TestWait.UntilAsync(() => IsDownstreamAsync(target), "the copies");
        var copied = watch.Elapsed;
        var released = (await Task.WhenAll(pods)).Max();
        Assert.Multiple(() =>
        {
            Assert.That(early, Is.Empty, "released before their image could be pulled");
            Assert.That(released - copied, Is.LessThan(MaximumDelay), $"the last image was downstream after {copied}");
        });
        // Both replicas remember the images, whoever copied them, so the next Pods do not wait.
        foreach (var replica in scene.Replicas)
        {
            await scene.RouteReviewsAsync(replica);
            foreach (var (source, target) in images)
            {
                var pod = await scene.DryRunAsync(GateScene.Pod("next", source));
                Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, target)));
            }
            Assert.That(await AdmissionsOfAsync(replica), Is.GreaterThan(Pods / 2), "it reviewed half of the Pods and each image");
        }
        var blobs = BlobRequest().Matches(upstream.Output).CountBy(request => request.Value).ToList();
        Assert.That((blobs.Count, blobs.Max(blob => blob.Value)), Is.EqualTo((Images * BlobsOfAnImage, 1)), "by the source's access log");
        TestContext.Out.WriteLine($"copied after {copied.TotalSeconds:0.00} s, the last Pod released after {released.TotalSeconds:0.00} s");
    }

    private static async Task<double> AdmissionsOfAsync(ProxySwapperProcess replica)
    {
        var metrics = await replica.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        return metrics
            .Split('\n')
            .Where(line => line.StartsWith("proxyswapper_admissions_total{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>Creates a Pod at its time, and waits until it is released. The second half is reviewed by the second replica.</summary>
    private static async Task<TimeSpan> ObserveAsync(
        GateScene scene,
        int index,
        (string Source, string Target) image,
        Stopwatch watch,
        List<string> early
    )
    {
        await Task.Delay(Span * index / Pods, TimeProvider.System);
        if (index == Pods / 2)
            await scene.RouteReviewsAsync(scene.Replicas[1]);
        var name = $"load{index}";
        await scene.CreateAsync(GateScene.Pod(name, image.Source));
        JsonObject pod;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            pod = await scene.FindAsync(name);
        } while (GateScene.GatesOf(pod).Count > 0);
        var released = watch.Elapsed;
        if (GateScene.ImageOf(pod) != image.Target || !await IsDownstreamAsync(image.Target))
            lock (early)
                early.Add($"{name}: {GateScene.ImageOf(pod)}");
        return released;
    }

    /// <summary>Pushes an image of its own content to the source.</summary>
    /// <returns>Its names upstream and downstream.</returns>
    private static async Task<(string Source, string Target)> PushAsync(GateScene scene, int index)
    {
        await TestImage.Create(400 + index, 2, 1000).PushAsync(scene.UpstreamAddress, $"team/load{index}", "1");
        return ($"{scene.UpstreamAddress}/team/load{index}:1", $"{scene.DownstreamAddress}/mirror/team/load{index}:1");
    }

    private static async Task<bool> IsDownstreamAsync(string target)
    {
        var (host, path) = (
            target[..target.IndexOf('/', StringComparison.Ordinal)],
            target[target.IndexOf('/', StringComparison.Ordinal)..^2]
        );
        using var request = new HttpRequestMessage(HttpMethod.Head, $"http://{host}/v2{path}/manifests/1");
        request.Headers.Add("Accept", MediaTypes.OciManifest);
        using var response = await Http.SendAsync(request);
        return response.IsSuccessStatusCode;
    }

    [GeneratedRegex("\"GET /v2/team/[^\"]*/blobs/sha256:[^\"]*\"")]
    private static partial Regex BlobRequest();
}
