using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Transfer;

/// <summary><c>populate.copyTimeout</c>: whatever a registry does, a job ends.</summary>
[TestFixture]
internal sealed class CopyTimeoutTests
{
    private TaskCompletionSource _end = new();
    private InMemoryRegistry _held = null!;
    private InMemoryRegistry _downstream = null!;

    [SetUp]
    public async Task Start()
    {
        _end = new TaskCompletionSource();
        _held = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = HoldBlobsAsync });
        _downstream = await InMemoryRegistry.StartAsync();
        TestImage.Create(1, 1, 1000, "amd64").AddTo(_held, "up/app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _end.TrySetResult();
        await _held.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task A_copy_gives_up_its_worker()
    {
        var options = new ProxySwapperOptions
        {
            Rules = [new() { Match = _held.Address, Target = $"{_downstream.Address}/up" }],
            Populate = new() { Policy = PopulatePolicy.Delayed, CopyTimeout = TimeSpan.FromSeconds(1) },
        };
        await AssertTimesOutAsync(options, $"{_held.Address}/up/app:1");
    }

    [Test]
    public void A_warm_up_gives_up_its_worker()
    {
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        var transfer = ImageTransfer.Create(
            registries,
            null,
            () => false,
            () => TimeSpan.FromSeconds(1),
            TimeProvider.System,
            NullLogger<SourceCredentials>.Instance
        );
        var work = new WarmUpWork(ImageReference.Parse($"{_held.Address}/up/app:1"), "up/app", new Platform("linux", "amd64"));
        Assert.That(
            async () => await transfer.RunAsync(work, [], new Progress<CopyProgress>(), default),
            Throws.InstanceOf<TimeoutException>().With.Message.EndsWith("timed out after 1 s (populate.copyTimeout)")
        );
    }

    private static async Task AssertTimesOutAsync(ProxySwapperOptions options, string image)
    {
        using var log = new CapturedLog();
        await using var scene = await PopulationScene.StartAsync(options with { ShutdownGracePeriod = TimeSpan.Zero }, log);
        await scene.AdmitAsync([image]);
        await TestWait.UntilAsync(() => log.Text.Contains("timed out after 1 s (populate.copyTimeout)", StringComparison.Ordinal));
        await TestWait.UntilAsync(() => scene.Queue.RunningCount == 0);
    }

    private async Task HoldBlobsAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal))
            await _end.Task.WaitAsync(context.RequestAborted);
        await next(context);
    }
}
