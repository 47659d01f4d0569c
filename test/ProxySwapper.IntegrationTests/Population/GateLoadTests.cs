using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Many Pods with many new images at once, with two replicas of the built program.</summary>
[TestFixture, NonParallelizable]
internal sealed class GateLoadTests
{
    private const int Pods = 200;
    private const int Images = 40;

    /// <summary>Two layers and a configuration.</summary>
    private const int BlobsOfAnImage = 3;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    /// <summary>
    /// From the last copy to the last release. Not a share of the time until then, most of which is the 10 seconds of arrivals; the
    /// benchmark <c>gate</c> compares with copies alone.
    /// </summary>
    private static readonly TimeSpan MaximumDelay = TimeSpan.FromSeconds(2);

    [Test]
    public async Task Two_hundred_pods_with_forty_images_wait_no_longer_than_the_copies_take()
    {
        await using var scene = await GateScene.CreateAsync();
        var images = Enumerable.Range(0, Images).Select(index => scene.AddImage($"load{index}", 400 + index)).ToList();
        await scene.StartReplicaAsync("populate: {maxNumberOfParallelJobs: 4}");
        await scene.StartReplicaAsync("populate: {maxNumberOfParallelJobs: 4}", isRegistered: false);
        var watch = Stopwatch.StartNew();
        var early = new List<string>();
        var pods = Enumerable
            .Range(0, Pods)
            .Select(index => ObserveAsync(scene, index, images[index * Images / Pods], watch, early))
            .ToList();
        var copied = TimeSpan.Zero;
        await TestWait.UntilAsync(
            () => images.All(image => IsDownstream(scene, image.Target)) && (copied = watch.Elapsed) > TimeSpan.Zero,
            "the copies"
        );
        var released = (await Task.WhenAll(pods)).Max();
        Assert.Multiple(() =>
        {
            Assert.That(early, Is.Empty, "released before their image could be pulled");
            Assert.That(scene.Upstream.Count(HttpMethod.Get, InMemoryRegistryRequestKind.Blob), Is.EqualTo(Images * BlobsOfAnImage));
            Assert.That(released - copied, Is.LessThan(MaximumDelay), $"the last image was downstream after {copied}");
        });
        // Both replicas remember the images, whoever copied them, so the next Pods do not wait.
        foreach (var replica in scene.Replicas)
        {
            await scene.AskAsync(replica);
            foreach (var (source, target) in images)
            {
                var pod = await scene.DryRunAsync(GateScene.Pod("next", source));
                Assert.That((GateScene.GatesOf(pod).Count, GateScene.ImageOf(pod)), Is.EqualTo((0, target)));
            }
            Assert.That(await AdmissionsOfAsync(replica), Is.GreaterThan(Pods / 2), "it was asked about half of the Pods and each image");
        }
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
            await scene.AskAsync(scene.Replicas[1]);
        var name = $"load{index}";
        await scene.CreateAsync(GateScene.Pod(name, image.Source));
        JsonObject pod;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            pod = await scene.FindAsync(name);
        } while (GateScene.GatesOf(pod).Count > 0);
        var released = watch.Elapsed;
        if (GateScene.ImageOf(pod) != image.Target || !IsDownstream(scene, image.Target))
            lock (early)
                early.Add($"{name}: {GateScene.ImageOf(pod)}");
        return released;
    }

    private static bool IsDownstream(GateScene scene, string target)
    {
        var repository = target[(target.IndexOf('/', StringComparison.Ordinal) + 1)..^2];
        return scene.Downstream.Repository(repository).Find("1") is not null;
    }
}
