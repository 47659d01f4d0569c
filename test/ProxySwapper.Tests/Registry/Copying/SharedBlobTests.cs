using ProxySwapper.Demo;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Testing;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>How long copies that share a blob wait for each other.</summary>
[TestFixture]
internal sealed class SharedBlobTests
{
    private SkippingTimeProvider _time = null!;
    private CopyScene _scene = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _time = new SkippingTimeProvider(TimeSpan.FromSeconds(10));
        _scene = await CopyScene.StartAsync(_time);
        TestImage.Create(1, layers: 1, layerSize: 400_000).AddTo(_scene.Source.Registry, "team/app", "1");
    }

    [TearDown]
    public ValueTask StopAsync() => _scene.DisposeAsync();

    [Test, CancelAfter(60_000)]
    public async Task A_transfer_that_hangs_is_not_waited_for_without_end(CancellationToken cancellationToken)
    {
        _scene.Source.Next(HttpMethod.Get, EmbeddedRegistryRequestKind.Blob, Hang, Hang);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = _scene.Copier.CopyAsync(_scene.Request(), stop.Token);
        await TestWait.UntilAsync(() => BlobsRead == 2);
        var second = _scene.Copier.CopyAsync(_scene.Request(target: "other/app:1"), cancellationToken);
        await AssertWaitsAsync(second);
        Assert.That((await second).BlobsCopied, Is.EqualTo(2));
        await AssertStoppedAsync(first, stop);
    }

    [Test, CancelAfter(60_000)]
    public async Task A_commit_that_hangs_is_not_waited_for_without_end(CancellationToken cancellationToken)
    {
        var committing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _scene.Target.Next(HttpMethod.Put, EmbeddedRegistryRequestKind.Manifest, (context, registry) =>
        {
            committing.TrySetResult();
            return Hang(context, registry);
        });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = _scene.Copier.CopyAsync(_scene.Request(), stop.Token);
        await committing.Task.WaitAsync(cancellationToken);
        var second = _scene.Copier.CopyAsync(_scene.Request(target: "other/app:1"), cancellationToken);
        await AssertWaitsAsync(second);
        await second;
        Assert.That(_scene.Target.Registry.Repositories["other/app"].Tags.Keys, Is.EqualTo(new[] { "1" }));
        await AssertStoppedAsync(first, stop);
    }

    [Test, CancelAfter(60_000)]
    public async Task A_slow_transfer_that_goes_on_is_waited_for_however_long_it_takes(CancellationToken cancellationToken)
    {
        using var next = new SemaphoreSlim(0);
        _scene.Source.Always((request, kind) => kind == EmbeddedRegistryRequestKind.Blob && request.Method == "GET", RegistryFaults.Drip(100_000, next.WaitAsync));
        var sent = new Sent();
        var first = _scene.Copier.CopyAsync(_scene.Request() with { Progress = sent }, cancellationToken);
        await TestWait.UntilAsync(() => BlobsRead == 2);
        var second = _scene.Copier.CopyAsync(_scene.Request(target: "other/app:1"), cancellationToken);
        for (var minutes = 0; !first.IsCompleted; minutes++)
        {
            var before = sent.Count;
            next.Release();
            await TestWait.UntilAsync(() => sent.Count > before || first.IsCompleted);
            if (!first.IsCompleted) Assert.That(second.IsCompleted, Is.False);
            _time.Advance(CopyTicket.LongestSilence * 0.6);
            if (minutes > 3) next.Release(100);
        }
        await first;
        Assert.That((await second).BlobsMounted, Is.EqualTo(2));
        Assert.That(BlobsRead, Is.EqualTo(2));
    }

    private int BlobsRead => _scene.Source.Received.Count(request => request.Method == "GET" && request.Path.Contains("/blobs/", StringComparison.Ordinal));

    private static Task Hang(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate registry) =>
        Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);

    /// <summary>The copy waits as long as it should, and then goes on.</summary>
    private async Task AssertWaitsAsync(Task copy)
    {
        await TestWait.UntilAsync(() => _scene.Source.Received.Count(request => request.Method == "GET" && request.Path.Contains("/manifests/", StringComparison.Ordinal)) == 2);
        _time.Advance(CopyTicket.LongestSilence * 0.9);
        Assert.That(copy.IsCompleted, Is.False);
        await TestWait.UntilAsync(() =>
        {
            if (!copy.IsCompleted) _time.Advance(CopyTicket.LongestSilence / 4);
            return copy.IsCompleted;
        });
    }

    private static async Task AssertStoppedAsync(Task copy, CancellationTokenSource stop)
    {
        Assert.That(copy.IsCompleted, Is.False);
        await stop.CancelAsync();
        Assert.That(async () => await copy, Throws.InstanceOf<OperationCanceledException>());
    }

    private sealed class Sent : IProgress<CopyProgress>
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Report(CopyProgress value) => Interlocked.Increment(ref _count);
    }
}
