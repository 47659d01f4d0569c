using System.Text;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>
/// The built program with many Pods at once, and with registries that are slow or rate-limit: all its requests are counted.
/// </summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class PopulationLoadTests : IAsyncDisposable
{
    private FaultyRegistry _upstream = null!;
    private FaultyRegistry _downstream = null!;

    [SetUp]
    public async Task StartAsync() => (_upstream, _downstream) = (await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task A_thousand_Pods_with_200_images_cost_one_copy_per_image()
    {
        for (var number = 0; number < 200; number++)
            TestImage.Create(number, layers: 1, layerSize: 1000).AddTo(_upstream.Registry, $"team/app{number}", "1");
        await using var webhook = await ServeAsync("populate: {maxNumberOfParallelJobs: 2}");
        using var client = webhook.CreateClient();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 1000),
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (pod, _) => await AdmitAsync(client, $"team/app{pod % 200}:1")
        );
        await TestWait.UntilAsync(
            () => Enumerable.Range(0, 200).All(number => Find($"team/app{number}", "1") is not null),
            "all images downstream"
        );
        Assert.That(TagsWritten(), Has.Length.EqualTo(200).And.Unique);
        var metrics = PrometheusText.Parse(await webhook.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
        Assert.That(
            metrics
                .Where(series => series.Key.StartsWith("proxyswapper_populate_dropped_total", StringComparison.Ordinal))
                .Sum(series => series.Value),
            Is.Zero
        );
    }

    [Test]
    public async Task Many_429_responses_delay_copies_and_duplicate_none([Values] bool isUpstream)
    {
        var (stormy, rejected) = (isUpstream ? _upstream : _downstream, 0);
        for (var number = 0; number < 10; number++)
            TestImage.Create(number, layers: 2, layerSize: 20_000).AddTo(_upstream.Registry, $"team/app{number}", "1");
        stormy.Choose((_, _) => Interlocked.Increment(ref rejected) <= 8 ? RegistryFaults.TooManyRequests("1") : null);
        await using var webhook = await ServeAsync("");
        using var client = webhook.CreateClient();
        for (var number = 0; number < 10; number++)
            await AdmitAsync(client, $"team/app{number}:1");
        await TestWait.UntilAsync(
            () => Enumerable.Range(0, 10).All(number => Find($"team/app{number}", "1") is not null),
            "all images downstream"
        );
        Assert.That(TagsWritten(), Has.Length.EqualTo(10).And.Unique);
        Assert.That(webhook.Log, Does.Not.Contain("ImagePopulateFailed"));
    }

    [Test]
    public async Task With_two_slow_registries_the_image_is_copied_and_no_response_waits()
    {
        var image = TestImage.Create(1, layers: 3, layerSize: 30_000);
        image.AddTo(_upstream.Registry, "team/app", "1");
        using var open = new SemaphoreSlim(0);
        // One piece of a blob and one upload continue each time.
        _upstream.Always(HttpMethod.Get, InMemoryRegistryRequestKind.Blob, RegistryFaults.Drip(4096, open.WaitAsync));
        _downstream.Always(
            (request, kind) => kind == InMemoryRegistryRequestKind.Upload && request.Method is "PUT" or "PATCH",
            async (context, registry) =>
            {
                await open.WaitAsync(context.RequestAborted);
                await registry(context);
            }
        );
        await using var webhook = await ServeAsync("");
        using var client = webhook.CreateClient();
        // Both are blocked, so the response cannot have waited for them.
        await AdmitAsync(client, "team/app:1");
        Assert.That(Find("team/app", "1"), Is.Null);
        await TestWait.UntilAsync(
            () =>
            {
                open.Release();
                return Find("team/app", "1") is not null;
            },
            "the image downstream"
        );
        Assert.That(Find("team/app", "1")!.Digest, Is.EqualTo(image.Top.Digest));
        Assert.That(TagsWritten(), Has.Length.EqualTo(1));
    }

    private Task<ProxySwapperProcess> ServeAsync(string more) =>
        ProxySwapperProcess.StartAsync($"rules: [{{match: \"{_upstream.Address}\", target: \"{_downstream.Address}/mirror\"}}]\n{more}");

    private async Task AdmitAsync(HttpClient client, string image)
    {
        using var content = new StringContent(ReviewSamples.Create($"{_upstream.Address}/{image}"), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/mutate", UriKind.Relative), content);
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("\"patch\""));
    }

    private Manifest? Find(string repository, string tag) => _downstream.Registry.Repository($"mirror/{repository}").Find(tag);

    /// <summary>The paths of manifests that were accepted under a tag.</summary>
    private string[] TagsWritten() =>
        [
            .. _downstream
                .Received.Where(request => request.Method == "PUT" && request.Path.EndsWith("/manifests/1", StringComparison.Ordinal))
                .Select(request => request.Path),
        ];
}
