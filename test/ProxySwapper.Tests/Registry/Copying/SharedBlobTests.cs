using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>How long copies that share a blob wait for each other.</summary>
[TestFixture]
internal sealed class SharedBlobTests
{
    private const int Piece = 100_000;
    private const int LayerSize = 5 * Piece;

    private SkippingTimeProvider _time = null!;
    private TestImage _image = null!;
    private CopyScene _scene = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _time = new SkippingTimeProvider(TimeSpan.FromSeconds(10));
        _scene = await CopyScene.StartAsync(_time);
        _image = TestImage.Create(1, layers: 1, layerSize: LayerSize);
        _image.AddTo(_scene.Source.Registry, "team/app", "1");
    }

    [TearDown]
    public ValueTask StopAsync() => _scene.DisposeAsync();

    [Test, CancelAfter(60_000)]
    public async Task A_transfer_that_hangs_is_not_waited_for_without_end(CancellationToken cancellationToken)
    {
        _scene.Source.Next(HttpMethod.Get, InMemoryRegistryRequestKind.Blob, RegistryFaults.NoResponse(), RegistryFaults.NoResponse());
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
        _scene.Target.Next(
            HttpMethod.Put,
            InMemoryRegistryRequestKind.Manifest,
            (context, registry) =>
            {
                committing.TrySetResult();
                return RegistryFaults.NoResponse()(context, registry);
            }
        );
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
    public async Task A_slow_transfer_that_continues_is_waited_for_however_long_it_takes(CancellationToken cancellationToken)
    {
        using var next = new SemaphoreSlim(0);
        var layer = _image.Blobs.Single(blob => blob.Value.Length == LayerSize).Key;
        _scene.Source.Always(
            (request, _) => request.Method == "GET" && request.Path.Value!.EndsWith(layer.Hex, StringComparison.Ordinal),
            RegistryFaults.Drip(Piece, next.WaitAsync)
        );
        var sent = new Sent();
        var first = _scene.Copier.CopyAsync(_scene.Request() with { Progress = sent }, cancellationToken);
        await TestWait.UntilAsync(() => BlobsRead == 2);
        var second = _scene.Copier.CopyAsync(_scene.Request(target: "other/app:1"), cancellationToken);
        // The first piece arrives immediately, the last one never.
        for (var piece = 2; piece < LayerSize / Piece; piece++)
        {
            next.Release();
            await TestWait.UntilAsync(() => sent.Bytes >= piece * Piece);
            _time.Advance(CopySession.StallLimit * 0.6);
        }
        Assert.That((first.IsCompleted, second.IsCompleted, BlobsRead), Is.EqualTo((false, false, 2)));
        next.Release(100);
        await first;
        Assert.That((await second).BlobsMounted, Is.EqualTo(2));
        Assert.That(BlobsRead, Is.EqualTo(2));
    }

    [Test, CancelAfter(60_000)]
    public async Task A_slow_registry_keeps_no_image_of_another_registry_waiting_that_has_the_same_layers(
        CancellationToken cancellationToken
    )
    {
        _scene.Source.Next(HttpMethod.Get, InMemoryRegistryRequestKind.Blob, RegistryFaults.NoResponse(), RegistryFaults.NoResponse());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var slow = _scene.Copier.CopyAsync(_scene.Request(), stop.Token);
        await TestWait.UntilAsync(() => BlobsRead == 2);
        await using var other = await FaultyRegistry.StartAsync();
        _image.AddTo(other.Registry, "team/app", "1");
        var request = new CopyRequest(
            ImageReference.Parse($"{other.Address}/team/app:1"),
            ImageReference.Parse($"{_scene.Target.Address}/other/app:1")
        );
        // The clock stands still, so it does not wait for the other copy.
        Assert.That((await _scene.Copier.CopyAsync(request, cancellationToken)).BlobsCopied, Is.EqualTo(2));
        await AssertStoppedAsync(slow, stop);
    }

    private int BlobsRead =>
        _scene.Source.Received.Count(request => request.Method == "GET" && request.Path.Contains("/blobs/", StringComparison.Ordinal));

    /// <summary>The copy waits for the expected time and then continues.</summary>
    private async Task AssertWaitsAsync(Task copy)
    {
        await TestWait.UntilAsync(() =>
            _scene.Source.Received.Count(request =>
                request.Method == "GET" && request.Path.Contains("/manifests/", StringComparison.Ordinal)
            ) == 2
        );
        _time.Advance(CopySession.StallLimit * 0.9);
        Assert.That(copy.IsCompleted, Is.False);
        await TestWait.UntilAsync(() =>
        {
            if (!copy.IsCompleted)
                _time.Advance(CopySession.StallLimit / 4);
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
        private long _bytes;

        /// <summary>The largest number of bytes sent of one blob.</summary>
        public long Bytes => Volatile.Read(ref _bytes);

        public void Report(CopyProgress value)
        {
            if (value.Step == CopyStep.Transferring && value.Bytes > Bytes)
                Volatile.Write(ref _bytes, value.Bytes);
        }
    }
}
