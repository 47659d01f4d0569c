using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Every fault ends in a correct copy or a clear error, and never in a tag that points to something incomplete.</summary>
[TestFixture]
internal sealed class CopyFaultTests
{
    private static readonly string[] TwoPlatforms = ["amd64", "arm64"];

    /// <summary>Faults of single requests, frequent enough for each to occur.</summary>
    private static readonly RegistryFault[] Transient =
    [
        RegistryFaults.TooManyRequests("1"),
        RegistryFaults.TooManyRequests(),
        RegistryFaults.Unavailable,
        RegistryFaults.Dropped,
        RegistryFaults.LostResponse,
        RegistryFaults.CutResponse(10),
        RegistryFaults.CutResponse(5000),
        RegistryFaults.CutRequest(10),
        RegistryFaults.CutRequest(5000),
        RegistryFaults.AbsoluteLocation,
        RegistryFaults.NoDigestHeader,
        RegistryFaults.NoContentLength,
        RegistryFaults.WrongContent,
        RegistryFaults.LostSession,
    ];

    [Test, Combinatorial]
    public async Task A_passing_fault_ends_in_a_whole_copy_or_a_clear_error(
        [Range(0, 13)] int fault,
        [Values(true, false)] bool atSource,
        [Values(InMemoryRegistryRequestKind.Manifest, InMemoryRegistryRequestKind.Blob, InMemoryRegistryRequestKind.Upload)]
            InMemoryRegistryRequestKind kind
    )
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(fault, layers: 3, platforms: TwoPlatforms);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        var struck = 0;
        (atSource ? scene.Source : scene.Target).Choose(
            (_, of) => of == kind && Interlocked.Increment(ref struck) % 3 == 1 && struck < 10 ? Transient[fault] : null
        );
        try
        {
            await scene.CopyAsync();
            Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(image.Top.Digest));
        }
        catch (RegistryException exception)
        {
            Assert.That(exception.Message, Does.Contain(exception.Host.Text).And.Contain("/app"));
        }
        CopyScene.AssertWhole(scene.Target.Registry);
        // The fault is over: the next copy continues and succeeds.
        scene.Source.RemoveFaults();
        scene.Target.RemoveFaults();
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Find("1")!.Bytes.ToArray(), Is.EqualTo(image.Top.Bytes.ToArray()));
        CopyScene.AssertWhole(scene.Target.Registry);
    }

    /// <summary>A full disk leaves entries that the registry cannot read, and that fail until they are written again.</summary>
    [Test]
    public async Task A_target_that_fails_over_every_entry_is_written_to_all_the_same()
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 2, platforms: TwoPlatforms);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        scene.Target.Always(
            (request, _) => request.Method == HttpMethod.Head.Method,
            RegistryFaults.Status(500, "UNKNOWN", "unknown error")
        );
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(image.Top.Digest));
        CopyScene.AssertWhole(scene.Target.Registry);
    }

    /// <summary>It may point at something.</summary>
    [Test]
    public async Task A_tag_that_the_target_cannot_read_is_not_written_where_it_must_not_be_moved()
    {
        await using var scene = await CopyScene.StartAsync();
        var (old, image) = (TestImage.Create(1), TestImage.Create(2));
        image.AddTo(scene.Source.Registry, "team/app", "1");
        old.AddTo(scene.Target.Registry, "mirror/app", "1");
        scene.Target.Always(
            (request, kind) => request.Method is "HEAD" or "GET" && kind == InMemoryRegistryRequestKind.Manifest,
            RegistryFaults.Status(500, "UNKNOWN", "unknown error")
        );
        var request = scene.Request() with { MayOverwrite = (_, _, _) => new(true) };
        Assert.That(
            Assert.ThrowsAsync<RegistryException>(() => scene.CopyAsync(request))!.Message,
            Is.EqualTo($"GET {scene.Target.Address}/mirror/app:1: internal server error (HTTP 500): UNKNOWN: unknown error")
        );
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(old.Top.Digest));
        // Content is never in doubt, and a tag that may move is repaired.
        var digest = image.Top.Digest;
        await scene.CopyAsync(scene.Request($"team/app@{digest}", $"mirror/app@{digest}") with { MayOverwrite = request.MayOverwrite });
        await scene.CopyAsync();
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags["1"], Is.EqualTo(digest));
    }

    [FsCheck.NUnit.Property(MaxTest = 40)]
    public Task<bool> Random_images_and_random_faults_never_leave_a_tag_that_is_not_whole(int seed) => RunRandomAsync(seed);

    [Test]
    public async Task When_the_copy_that_transfers_a_blob_fails_another_takes_over()
    {
        await using var scene = await CopyScene.StartAsync();
        TestImage.Create(1, layers: 1, layerSize: 100_000).AddTo(scene.Source.Registry, "team/app", "1");
        using var cancelled = new CancellationTokenSource();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Source.Always(
            (request, kind) => kind == InMemoryRegistryRequestKind.Blob,
            async (context, registry) =>
            {
                started.TrySetResult();
                await go.Task;
                await registry(context);
            }
        );
        var first = scene.Copier.CopyAsync(scene.Request(), cancelled.Token);
        await started.Task;
        var second = scene.CopyAsync(scene.Request(target: "mirror/app:2"));
        await cancelled.CancelAsync();
        go.SetResult();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        Assert.That((await second).BlobsCopied, Is.EqualTo(2));
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags.Keys, Is.EqualTo(new[] { "2" }));
    }

    [Test]
    public async Task A_tag_that_moves_at_the_source_meanwhile_gives_one_image_or_the_other_and_never_a_mixture()
    {
        await using var scene = await CopyScene.StartAsync();
        var (old, young) = (TestImage.Create(1, platforms: TwoPlatforms), TestImage.Create(2, platforms: TwoPlatforms));
        young.AddTo(scene.Source.Registry, "team/app");
        old.AddTo(scene.Source.Registry, "team/app", "1");
        var moved = 0;
        scene.Source.Choose(
            (request, kind) =>
                kind == InMemoryRegistryRequestKind.Blob && Interlocked.Exchange(ref moved, 1) == 0
                    ? RegistryFaults.Meanwhile(() =>
                        scene.Source.Registry.AddManifest("team/app", young.Top.MediaType, young.Top.Bytes, "1")
                    )
                    : null
        );
        var result = await scene.CopyAsync();
        Assert.That(
            (result.TargetDigest, scene.Target.Registry.Repositories["mirror/app"].Tags["1"]),
            Is.EqualTo((old.Top.Digest, old.Top.Digest))
        );
        CopyScene.AssertWhole(scene.Target.Registry);
    }

    private static async Task<bool> RunRandomAsync(int seed)
    {
        var random = new Random(seed);
        await using var scene = await CopyScene.StartAsync(new InMemoryRegistryOptions { ReferrersApi = random.Next(2) == 0 });
        var image = TestImage.Create(seed, random.Next(1, 5), random.Next(1, 30_000), TwoPlatforms[..random.Next(1, 3)]);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        RegistryFault? Choose()
        {
            lock (random)
                return random.Next(4) == 0 ? Transient[random.Next(Transient.Length)] : null;
        }
        scene.Source.Choose((_, _) => Choose());
        scene.Target.Choose((_, _) => Choose());
        for (var round = 0; round < 3; round++)
        {
            try
            {
                await scene.CopyAsync();
            }
            catch (RegistryException)
            {
                // A clear error is allowed; the target's content is verified below.
            }
            CopyScene.AssertWhole(scene.Target.Registry);
        }
        scene.Source.RemoveFaults();
        scene.Target.RemoveFaults();
        await scene.CopyAsync();
        CopyScene.AssertWhole(scene.Target.Registry);
        return scene.Target.Registry.Repositories["mirror/app"].Tags["1"] == image.Top.Digest;
    }
}
