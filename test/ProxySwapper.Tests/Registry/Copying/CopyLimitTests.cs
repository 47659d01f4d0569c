using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Limits for one image: time, throughput, memory, and access to other content.</summary>
[TestFixture]
internal sealed class CopyLimitTests
{
    [Test, CancelAfter(60_000)]
    public async Task A_copy_ends_when_its_time_is_up(CancellationToken cancellationToken)
    {
        var time = new SkippingTimeProvider(TimeSpan.FromSeconds(10));
        await using var scene = await CopyScene.StartAsync(time);
        TestImage.Create(1, layers: 1).AddTo(scene.Source.Registry, "team/app", "1");
        var requested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Source.Always(HttpMethod.Get, Kind.Blob, RegistryFaults.NoResponse(() => requested.TrySetResult()));
        var copy = scene.Copier.CopyAsync(scene.Request() with { Timeout = TimeSpan.FromHours(1) }, cancellationToken);
        await requested.Task.WaitAsync(cancellationToken);
        time.Advance(TimeSpan.FromHours(1));
        Assert.That(
            async () => await copy,
            Throws
                .InstanceOf<TimeoutException>()
                .With.Message.Contain($"{scene.Target.Address}/mirror/app:1")
                .And.Message.Contain("timed out after 1 h")
        );
    }

    /// <summary>Each piece arrives in time, but overall the transfer is too slow.</summary>
    [Test, CancelAfter(60_000)]
    public async Task A_blob_that_arrives_too_slowly_is_aborted(CancellationToken cancellationToken)
    {
        const int Piece = 66_000;
        var time = new SkippingTimeProvider(TimeSpan.FromSeconds(5));
        await using var scene = await CopyScene.StartAsync(
            time,
            RegistryScene.Options with
            {
                StallTimeout = TimeSpan.FromSeconds(60),
                ResponseTimeout = TimeSpan.FromDays(1),
            }
        );
        var image = TestImage.Create(1, layers: 1, layerSize: 100 * Piece);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        var layer = image.Blobs.Single(blob => blob.Value.Length == 100 * Piece).Key;
        var (pieces, sent) = (0, new Sent());
        scene.Source.Always(
            (request, _) => request.Method == "GET" && request.Path.Value!.EndsWith(layer.Hex, StringComparison.Ordinal),
            RegistryFaults.Drip(
                Piece,
                async _ =>
                {
                    // Once everything received has been passed on, the next piece is awaited.
                    pieces++;
                    await TestWait.UntilAsync(() => sent.Bytes >= pieces * Piece);
                    time.Advance(TimeSpan.FromSeconds(50));
                }
            )
        );
        Assert.That(
            async () => await scene.Copier.CopyAsync(scene.Request() with { Progress = sent }, cancellationToken),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain("too slow")
                .And.Message.Contain("16384 bytes per second")
                .And.Message.Contain($"{scene.Source.Address}/team/app@sha256:")
        );
        Assert.That(pieces, Is.LessThan(20));
    }

    [Test]
    public async Task Manifests_that_are_too_large_on_the_whole_are_rejected()
    {
        await using var scene = await CopyScene.StartAsync();
        var children = Enumerable.Range(0, 40).Select(number => AddPadded(scene.Source.Registry, number, 3_000_000)).ToList();
        AddIndex(scene.Source.Registry, children);
        Assert.That(
            async () => await scene.CopyAsync(),
            Throws.InstanceOf<CopyException>().With.Message.Contain("exceed 16 MiB in total").And.Message.Contain("/team/app")
        );
        Assert.That(scene.Source.Registry.Count(HttpMethod.Get, Kind.Manifest), Is.EqualTo(1), "the index shows what the others have");
        // False sizes are detected during the copy.
        AddIndex(scene.Source.Registry, children.Select(child => child with { Size = 10 }));
        Assert.That(async () => await scene.CopyAsync(), Throws.InstanceOf<CopyException>().With.Message.Contain("exceed 16 MiB"));
        Assert.That(scene.Source.Registry.Count(HttpMethod.Get, Kind.Manifest), Is.LessThan(14));
        Assert.That(scene.Target.Registry.Repositories, Is.Empty);
    }

    [Test]
    public async Task Referrers_that_are_too_large_on_the_whole_are_rejected()
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        for (var number = 0; number < 20; number++)
            AddReferrer(scene.Source.Registry, image.Top, number, 4_000_000);
        Assert.That(
            async () => await scene.CopyAsync(scene.Request() with { Referrers = true }),
            Throws
                .InstanceOf<CopyException>()
                .With.Message.Contain("manifests of the image's referrers")
                .And.Message.Contain("exceed 64 MiB")
        );
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Manifests, Has.Count.EqualTo(1 + 16), "those that fit into 64 MiB");
    }

    [Test]
    public async Task A_manifest_beyond_4_MiB_is_rejected_for_good()
    {
        await using var scene = await CopyScene.StartAsync();
        AddIndex(scene.Source.Registry, [AddPadded(scene.Source.Registry, 1, 4 * 1024 * 1024 + 1)]);
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.CopyAsync())!;
        Assert.That((fault.IsLimitExceeded, fault.IsTransient), Is.EqualTo((true, false)));
        Assert.That(fault.Message, Does.Contain("larger than the limit of 4194304 bytes").And.Contain("/team/app@sha256:"));
    }

    [Test]
    public async Task Absurd_sizes_do_not_overflow()
    {
        await using var scene = await CopyScene.StartAsync();
        AddIndex(
            scene.Source.Registry,
            Enumerable.Range(0, 3).Select(number => new Descriptor(MediaTypes.OciManifest, DigestOf(number), long.MaxValue))
        );
        Assert.That(async () => await scene.CopyAsync(), Throws.InstanceOf<CopyException>().With.Message.Contain("its size must be"));
        AddIndex(
            scene.Source.Registry,
            Enumerable.Range(0, 3).Select(number => new Descriptor(MediaTypes.OciManifest, DigestOf(number), 1L << 48))
        );
        Assert.That(async () => await scene.CopyAsync(), Throws.InstanceOf<CopyException>().With.Message.Contain("exceed 16 MiB"));
    }

    /// <summary>A stranger's manifest names a team's layer, which the target has from that team's copy.</summary>
    [Test]
    public async Task A_layer_that_the_source_does_not_have_is_not_mounted_from_others()
    {
        await using var scene = await CopyScene.StartAsync();
        var secret = TestImage.Create(7, layers: 1);
        secret.AddTo(scene.Source.Registry, "team/private", "1");
        await scene.CopyAsync(scene.Request("team/private:1", "mirror/private:1"));
        // The same manifest in a repository without its blobs.
        scene.Source.Registry.AddManifest("evil/app", secret.Top.MediaType, secret.Top.Bytes, "1");
        Assert.That(
            async () => await scene.CopyAsync(scene.Request("evil/app:1", "mirror/evil:1")),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("/evil/app@sha256:").And.Message.Contain("not found (HTTP 404)")
        );
        Assert.That(scene.Target.Registry.Count(HttpMethod.Post, Kind.Mount), Is.Zero);
        var stolen = scene.Target.Registry.Repositories.TryGetValue("mirror/evil", out var evil) ? evil.Blobs.Keys : [];
        Assert.That(stolen, Is.Empty);
    }

    [TestCase(0)]
    [TestCase(17)]
    public async Task A_blob_of_another_length_is_uploaded_again(int length)
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        foreach (var digest in image.Blobs.Keys)
            scene.Target.Registry.Repository("mirror/app").Blobs[digest] = new byte[length];
        var result = await scene.CopyAsync();
        Assert.That((result.BlobsCopied, result.BlobsPresent), Is.EqualTo((2, 0)));
        CopyScene.AssertWhole(scene.Target.Registry);
    }

    [Test]
    public async Task A_registry_that_keeps_a_blob_of_another_length_is_an_error()
    {
        await using var scene = await CopyScene.StartAsync();
        var image = TestImage.Create(1, layers: 1);
        image.AddTo(scene.Source.Registry, "team/app", "1");
        foreach (var digest in image.Blobs.Keys)
            scene.Target.Registry.Repository("mirror/app").Blobs[digest] = Array.Empty<byte>();
        scene.Target.Always(
            HttpMethod.Put,
            Kind.Upload,
            async (context, _) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.StatusCode = 201;
            }
        );
        Assert.That(
            async () => await scene.CopyAsync(),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain("the registry has 0")
                .And.Message.Contain($"{scene.Target.Address}/mirror/app@sha256:")
        );
        Assert.That(scene.Target.Registry.Repositories["mirror/app"].Tags, Is.Empty);
    }

    [Test]
    public async Task A_tag_that_must_not_move_stays_and_nothing_is_written()
    {
        await using var scene = await CopyScene.StartAsync();
        var (old, young) = (TestImage.Create(1, layers: 1), TestImage.Create(2, layers: 1));
        old.AddTo(scene.Target.Registry, "mirror/app", "1");
        young.AddTo(scene.Source.Registry, "team/app", "1");
        var requested = new List<(string Tag, Digest Digest)>();
        CopyRequest Request(bool mayOverwrite) =>
            scene.Request() with
            {
                ExtraTags = ["2"],
                MayOverwrite = (tag, existing, _) =>
                {
                    requested.Add((tag, existing.Digest));
                    return new(mayOverwrite);
                },
            };
        Assert.That(
            async () => await scene.CopyAsync(Request(mayOverwrite: false)),
            Throws.InstanceOf<CopyException>().With.Message.Contain($"mirror/app:1 points at {old.Top.Digest}")
        );
        Assert.That(
            scene.Target.Registry.Repository("mirror/app").Tags,
            Is.EquivalentTo(new Dictionary<string, Digest> { ["1"] = old.Top.Digest })
        );
        Assert.That(scene.Target.Received.Select(request => request.Method), Is.All.AnyOf("HEAD", "GET"));
        await scene.CopyAsync(Request(mayOverwrite: true));
        Assert.That(requested, Is.EqualTo(new[] { ("1", old.Top.Digest), ("1", old.Top.Digest) }), "a new tag overwrites nothing");
        requested.Clear();
        await scene.CopyAsync(Request(mayOverwrite: false));
        Assert.That(requested, Is.Empty, "what is up to date is not written");
    }

    /// <summary>Some registries respond to every HEAD with 404, and a failure proves nothing.</summary>
    [TestCase(404)]
    [TestCase(500)]
    public async Task A_tag_that_must_not_move_stays_where_only_a_GET_finds_it(int status)
    {
        await using var scene = await CopyScene.StartAsync();
        var old = TestImage.Create(1, layers: 1);
        old.AddTo(scene.Target.Registry, "mirror/app", "1");
        TestImage.Create(2, layers: 1).AddTo(scene.Source.Registry, "team/app", "1");
        scene.Target.Always(HttpMethod.Head, Kind.Manifest, RegistryFaults.Status(status));
        Assert.That(
            async () => await scene.CopyAsync(scene.Request() with { MayOverwrite = (_, _, _) => new(false) }),
            Throws.InstanceOf<CopyException>().With.Message.Contain($"mirror/app:1 points at {old.Top.Digest}")
        );
        Assert.That(scene.Target.Registry.Repository("mirror/app").Tags["1"], Is.EqualTo(old.Top.Digest));
    }

    private static Digest DigestOf(int number) => Digest.OfBytes(BitConverter.GetBytes(number));

    private static Descriptor AddPadded(InMemoryRegistry registry, int number, int size)
    {
        var content = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","number":{{number}},"layers":[]}""";
        return registry.AddManifest("team/app", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(content.PadRight(size)));
    }

    private static void AddReferrer(InMemoryRegistry registry, Manifest subject, int number, int size)
    {
        var content = $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"test/{{number}}","layers":[],
             "subject":{"mediaType":"{{subject.MediaType}}","digest":"{{subject.Digest}}","size":{{subject.Bytes.Length}} } }
            """;
        registry.AddManifest("team/app", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(content.PadRight(size)));
    }

    private static void AddIndex(InMemoryRegistry registry, IEnumerable<Descriptor> children)
    {
        var entries = children.Select(child =>
            $$"""{"mediaType":"{{child.MediaType}}","digest":"{{child.Digest}}","size":{{child.Size}}}"""
        );
        var content = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', entries)}}]}""";
        registry.AddManifest("team/app", MediaTypes.OciIndex, Encoding.UTF8.GetBytes(content), "1");
    }

    private sealed class Sent : IProgress<CopyProgress>
    {
        private long _bytes;

        /// <summary>The size of the largest blob.</summary>
        public long Bytes => Volatile.Read(ref _bytes);

        public void Report(CopyProgress value) => Volatile.Write(ref _bytes, Math.Max(_bytes, value.Bytes));
    }
}
