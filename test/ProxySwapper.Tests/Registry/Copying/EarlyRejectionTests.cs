using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>A rejection by one registry ends the copy at once, even while the other one is retried: the clock stands still.</summary>
[TestFixture]
internal sealed class EarlyRejectionTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [TestCase(403, "forbidden")]
    [TestCase(404, "not found")]
    public async Task A_rejection_by_the_source_is_reported_while_the_target_cannot_be_reached(int status, string text)
    {
        await using var scene = await CopyScene.StartAsync(new SkippingTimeProvider(TimeSpan.Zero));
        var isRequested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Target.Always(
            (_, _) => true,
            (context, next) =>
            {
                isRequested.TrySetResult();
                return RegistryFaults.Unavailable(context, next);
            }
        );
        scene.Source.Always(
            (_, kind) => kind == InMemoryRegistryRequestKind.Manifest,
            async (context, next) =>
            {
                await isRequested.Task;
                await RegistryFaults.Status(status)(context, next);
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.CopyAsync().WaitAsync(Longest))!;
        Assert.That(fault.Message, Does.Contain($"{scene.Source.Address}/team/app:1: {text} (HTTP {status})"));
        Assert.That(scene.Target.Received, Has.Count.EqualTo(1), "its retry would come after a pause");
    }

    [Test]
    public async Task A_rejection_by_the_target_is_reported_while_the_source_cannot_be_reached()
    {
        await using var scene = await CopyScene.StartAsync(new SkippingTimeProvider(TimeSpan.Zero));
        TestImage.Create(1).AddTo(scene.Source.Registry, "team/app", "1");
        var isRequested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Source.Always(
            (_, _) => true,
            (context, next) =>
            {
                isRequested.TrySetResult();
                return RegistryFaults.Unavailable(context, next);
            }
        );
        scene.Target.Always(
            (_, _) => true,
            async (context, next) =>
            {
                await isRequested.Task;
                await RegistryFaults.Status(403)(context, next);
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.CopyAsync().WaitAsync(Longest))!;
        Assert.That(fault.Message, Does.Contain($"{scene.Target.Address}/mirror/app:1: forbidden (HTTP 403)"));
    }
}
