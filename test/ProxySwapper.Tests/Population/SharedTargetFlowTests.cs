using ProxySwapper.Configuration;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>If rules let two registries share targets, only the registry that a tag came from can move it.</summary>
[TestFixture]
internal sealed class SharedTargetFlowTests
{
    private InMemoryRegistry _good = null!;
    private InMemoryRegistry _evil = null!;
    private InMemoryRegistry _downstream = null!;

    [SetUp]
    public async Task Start()
    {
        _good = await InMemoryRegistry.StartAsync();
        _evil = await InMemoryRegistry.StartAsync();
        _downstream = await InMemoryRegistry.StartAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        await _good.DisposeAsync();
        await _evil.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task Another_registry_cannot_replace_an_image_not_even_after_a_restart()
    {
        var (first, second, evil) = (TestImage.Create(1), TestImage.Create(2), TestImage.Create(3));
        first.AddTo(_good, "team/app", "1");
        evil.AddTo(_evil, "team/app", "1");
        // The content of the other registry proves nothing: anyone can copy a public image.
        first.AddTo(_evil, "team/app", "same");
        await using (var scene = await StartAsync())
            await BringAsync(scene, _good);
        Assert.That(Downstream, Is.EqualTo(first.Top.Digest));

        var log = new CapturedLog();
        await using (var scene = await StartAsync(log))
        {
            await scene.AdmitAsync([$"{_evil.Address}/team/app:1"], pullPolicy: "Always");
            await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
            Assert.That(
                scene.Get<FailedImages>().Snapshot()[0].Fault,
                Does.Contain($"points at {first.Top.Digest}").And.Contain($"{_evil.Address}/team/app:1")
            );
            Assert.That(Downstream, Is.EqualTo(first.Top.Digest));
        }
        second.AddTo(_good, "team/app", "1");
        await using (var scene = await StartAsync())
            await BringAsync(scene, _good);
        Assert.That(Downstream, Is.EqualTo(second.Top.Digest), "its own source may move it");
    }

    [Test]
    public async Task A_tag_whose_source_is_not_recorded_stays()
    {
        var (old, young) = (TestImage.Create(1), TestImage.Create(2));
        old.AddTo(_downstream, "mirror/team/app", "1");
        young.AddTo(_good, "team/app", "1");
        await using var scene = await StartAsync();
        await scene.AdmitAsync([$"{_good.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(Downstream, Is.EqualTo(old.Top.Digest));
    }

    [Test]
    public async Task An_image_cannot_pass_for_the_record_of_a_source()
    {
        TestImage.Create(3).AddTo(_evil, "team/app", "proxyswapper-source-0123456789abcdef");
        await using var scene = await StartAsync();
        await scene.AdmitAsync([$"{_evil.Address}/team/app:proxyswapper-source-0123456789abcdef"]);
        await TestWait.UntilAsync(() => scene.Get<FailedImages>().Snapshot().Count == 1);
        Assert.That(
            scene.Get<FailedImages>().Snapshot()[0].Fault,
            Does.Contain("tags that begin with 'proxyswapper-source-' are reserved")
        );
        Assert.That(_downstream.Repository("mirror/team/app").Tags, Is.Empty);
    }

    [Test]
    public async Task Where_no_target_is_shared_nothing_is_recorded()
    {
        TestImage.Create(1).AddTo(_good, "team/app", "1");
        await using var scene = await StartAsync(allow: false);
        await BringAsync(scene, _good);
        Assert.That(_downstream.Repository("mirror/team/app").Tags.Keys, Is.EqualTo(["1"]));
    }

    private ProxySwapper.Registry.Digest? Downstream => _downstream.Repository("mirror/team/app").Find("1")?.Digest;

    private static async Task BringAsync(PopulationScene scene, InMemoryRegistry source)
    {
        await scene.AdmitAsync([$"{source.Address}/team/app:1"], pullPolicy: "Always");
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1);
    }

    private Task<PopulationScene> StartAsync(CapturedLog? log = null, bool allow = true) =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules =
                [
                    new()
                    {
                        Match = _good.Address,
                        Target = $"{_downstream.Address}/mirror",
                        AllowSharedTarget = allow,
                    },
                    new() { Match = _evil.Address, Target = $"{_downstream.Address}/mirror" },
                ],
                Populate = new() { Policy = PopulatePolicy.Delayed },
            },
            log
        );
}
