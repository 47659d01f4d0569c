using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Registries that are down, slow or full, and a program that is killed.</summary>
[TestFixture, NeedsServer]
internal sealed class RecoveryTests
{
    [Test]
    public async Task An_upstream_that_is_down_is_retried_until_it_is_back()
    {
        var data = Directory.CreateTempSubdirectory("upstream-");
        var port = TestProcess.FreePort();
        var image = TestImage.Create(11);
        await using (var before = await DebianRegistry.StartAsync(port, data.FullName))
            await image.PushAsync(before.Address, "team/app", "1");
        await using var downstream = await DebianRegistry.StartAsync();
        await using var scene = await StartAsync($"127.0.0.1:{port}", downstream.Address);
        var pod = await scene.CreatePodAsync("app", $"127.0.0.1:{port}/team/app:1");
        await TestWait.UntilAsync(async () => await scene.CountAsync("failed") == 1, "the first failure");
        var failed = (await scene.PopulateAsync())["failed"]![0]!;
        Assert.That((string?)failed["reason"], Does.Contain($"127.0.0.1:{port}").And.Contain("no response"));
        Assert.That((DateTimeOffset?)failed["nextTry"], Is.GreaterThan(TimeProvider.System.GetUtcNow().AddMinutes(-1)));
        await using (var after = await DebianRegistry.StartAsync(port, data.FullName))
            await TestWait.UntilAsync(
                async () => await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)) == image.Top.Digest.ToString(),
                "the image downstream"
            );
        data.Delete(recursive: true);
    }

    [Test]
    public async Task A_downstream_that_is_down_is_retried_until_it_is_back()
    {
        var port = TestProcess.FreePort();
        var image = TestImage.Create(12);
        await using var upstream = await DebianRegistry.StartAsync();
        await image.PushAsync(upstream.Address, "team/app", "1");
        await using var scene = await StartAsync(upstream.Address, $"127.0.0.1:{port}");
        var pod = await scene.CreatePodAsync("app", $"{upstream.Address}/team/app:1");
        await TestWait.UntilAsync(async () => await scene.CountAsync("failed") == 1, "the first failure");
        await using var downstream = await DebianRegistry.StartAsync(port);
        await TestWait.UntilAsync(
            async () => await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)) == image.Top.Digest.ToString(),
            "the image downstream"
        );
    }

    [Test]
    public async Task A_downstream_with_a_full_disk_gets_the_image_once_there_is_room()
    {
        using var disk = await SmallDisk.MountAsync(megabytes: 4);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[3 * 1024 * 1024]);
        await using var upstream = await DebianRegistry.StartAsync();
        await using var downstream = await DebianRegistry.StartAsync(0, disk.Folder);
        var image = TestImage.Create(13, layers: 2, layerSize: 1024 * 1024);
        await image.PushAsync(upstream.Address, "team/app", "1");
        await using var scene = await StartAsync(upstream.Address, downstream.Address);
        var pod = await scene.CreatePodAsync("app", $"{upstream.Address}/team/app:1");
        await TestWait.UntilAsync(async () => await scene.CountAsync("failed") == 1, "the failure");
        Assert.That(await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)), Is.Null, "nothing half-done is visible");
        File.Delete(ballast);
        await TestWait.UntilAsync(
            async () => await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)) == image.Top.Digest.ToString(),
            "the image downstream"
        );
        await Skopeo.PullAsync(PopulationScene.ImageOf(pod));
    }

    [Test]
    public async Task A_program_killed_during_a_copy_leaves_nothing_incomplete_and_continues_after_a_restart()
    {
        await using var held = await HeldUpstream.StartAsync(TestImage.Create(14, layers: 3, layerSize: 300_000));
        await using var downstream = await DebianRegistry.StartAsync();
        await using var scene = await StartAsync(held.Registry.Address, downstream.Address);
        var pod = await scene.CreatePodAsync("app", $"{held.Registry.Address}/team/app:1");
        await held.ReachedAsync();
        scene.Webhook.Kill();
        await scene.Webhook.WaitForExitAsync();
        Assert.That(await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)), Is.Null, "nothing half-done is visible");
        held.Release();
        await scene.StartAgainAsync();
        await TestWait.UntilAsync(
            async () => await Skopeo.DigestAsync(PopulationScene.ImageOf(pod)) == held.Image.Top.Digest.ToString(),
            "the image downstream"
        );
        await Skopeo.PullAsync(PopulationScene.ImageOf(pod));
        // The watch and the reconciliation both find the Pod; whichever is first queues its image.
        await TestWait.UntilAsync(
            () => Task.FromResult(scene.Webhook.Log.Contains("is downstream, from", StringComparison.Ordinal)),
            "the copy in the log of the program that was started again"
        );
    }

    [Test]
    public async Task At_shutdown_a_running_copy_is_finished_and_waiting_ones_are_named()
    {
        await using var held = await HeldUpstream.StartAsync(TestImage.Create(15, layers: 1, layerSize: 300_000));
        await using var downstream = await DebianRegistry.StartAsync();
        await using var scene = await StartAsync(held.Registry.Address, downstream.Address, "populate: {maxNumberOfParallelJobs: 1}");
        var running = await scene.CreatePodAsync("running", $"{held.Registry.Address}/team/app:1");
        await held.ReachedAsync();
        await scene.CreatePodAsync("waiting", $"{held.Registry.Address}/team/other:1");
        await TestWait.UntilAsync(async () => await scene.CountAsync("queued") == 1, "the second in the queue");
        scene.Webhook.Terminate();
        await TestWait.UntilAsync(
            () =>
                scene.Webhook.Log.Contains(
                    $"{downstream.Address}/mirror/team/other:1 from {held.Registry.Address}/team/other:1 was still queued",
                    StringComparison.Ordinal
                ),
            "the name in the log"
        );
        held.Release();
        Assert.That(await scene.Webhook.WaitForExitAsync(), Is.Zero);
        Assert.That(await Skopeo.DigestAsync(PopulationScene.ImageOf(running)), Is.EqualTo(held.Image.Top.Digest.ToString()));
    }

    [Test]
    public async Task A_running_pods_image_that_disappeared_downstream_is_copied_again()
    {
        var image = TestImage.Create(16);
        await using var upstream = await DebianRegistry.StartAsync();
        await using var downstream = await InMemoryRegistry.StartAsync();
        await image.PushAsync(upstream.Address, "team/app", "1");
        await using var scene = await StartAsync(
            upstream.Address,
            downstream.Address,
            "populate: {reconcileEvery: 300ms, recheckAfter: 100ms}"
        );
        await scene.CreatePodAsync("app", $"{upstream.Address}/team/app:1");
        await TestWait.UntilAsync(() => downstream.Repository("mirror/team/app").Find("1") is not null, "the image downstream");
        downstream.Repositories.Clear();
        await TestWait.UntilAsync(() => downstream.Repository("mirror/team/app").Find("1") is not null, "the image again");
    }

    private static Task<PopulationScene> StartAsync(string upstream, string downstream, string more = "") =>
        PopulationScene.StartAsync($"rules: [{{match: \"{upstream}\", target: \"{downstream}/mirror\"}}]\n{more}");

    /// <summary>An upstream registry that holds back the end of its layers until released, so that a copy stops halfway.</summary>
    private sealed class HeldUpstream : IAsyncDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private HeldUpstream(TestImage image) => Image = image;

        public TestImage Image { get; }

        public InMemoryRegistry Registry { get; private set; } = null!;

        public static async Task<HeldUpstream> StartAsync(TestImage image)
        {
            var held = new HeldUpstream(image);
            held.Registry = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = held.RespondAsync });
            image.AddTo(held.Registry, "team/app", "1");
            image.AddTo(held.Registry, "team/other", "1");
            return held;
        }

        public Task ReachedAsync() => _reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

        public void Release() => _released.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            Release();
            await Registry.DisposeAsync();
        }

        private async Task RespondAsync(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate next)
        {
            var isLayer =
                context.Request.Method == "GET"
                && Image.Blobs.Any(blob =>
                    blob.Value.Length > 100_000 && context.Request.Path.Value!.EndsWith(blob.Key.ToString(), StringComparison.Ordinal)
                );
            if (isLayer && !_released.Task.IsCompleted)
            {
                _reached.TrySetResult();
                await _released.Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            await next(context);
        }
    }
}
