using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

[TestFixture]
internal sealed class BlobDownloadTests
{
    private static readonly byte[] Content = RandomBytes(1_000_000);

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(500_000)]
    [TestCase(999_999)]
    public async Task A_download_resumes_where_it_broke(int after)
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.CutResponse(after));
        Assert.That(await ReadAsync(scene, blob), Is.EqualTo(Content));
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(2));
        if (after > 1)
            Assert.That(scene.Faulty.Received[1].Header("Range"), Does.Match(@"^bytes=\d+-$"));
    }

    [Test]
    public async Task Without_ranges_received_content_is_skipped()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.CutResponse(400_000), RegistryFaults.NoRanges);
        Assert.That(await ReadAsync(scene, blob), Is.EqualTo(Content));
    }

    [TestCase("bytes 500001-999999/1000000")]
    [TestCase("bytes 0-999999/1000001")]
    [TestCase("nonsense")]
    public async Task A_wrong_range_is_rejected(string range)
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.CutResponse(400_000), RegistryFaults.Header("Content-Range", range));
        Assert.That(async () => await ReadAsync(scene, blob), Throws.InstanceOf<RegistryException>());
    }

    [Test]
    public async Task Wrong_content_never_reads_to_its_end()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Always(HttpMethod.Get, Kind.Blob, RegistryFaults.WrongContent);
        await using var stream = await scene.Client.OpenBlobAsync("a", blob, default);
        using var read = new MemoryStream();
        Assert.That(
            async () => await stream.CopyToAsync(read),
            Throws.InstanceOf<RegistryException>().With.Message.Contain(blob.Digest.ToString())
        );
        Assert.That(read.Length, Is.LessThan(Content.Length));
        Assert.That(async () => await stream.ReadAsync(new byte[1]), Throws.InstanceOf<RegistryException>(), "and never recovers");
    }

    [Test]
    public async Task A_wrong_length_is_rejected()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.Shorter, RegistryFaults.Longer);
        for (var i = 0; i < 2; i++)
            Assert.That(
                async () => await ReadAsync(scene, blob),
                Throws.InstanceOf<RegistryException>().With.Message.Contain("expected 1000000 bytes")
            );
    }

    [Test]
    public async Task An_unknown_length_is_counted()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Always(HttpMethod.Get, Kind.Blob, RegistryFaults.NoContentLength);
        Assert.That(await ReadAsync(scene, blob), Is.EqualTo(Content));
        Assert.That(
            async () => await ReadAsync(scene, blob with { Size = Content.Length - 1 }),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("its content has the digest")
        );
    }

    [Test]
    public async Task A_stream_of_unknown_length_needs_no_end_after_the_whole_blob()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Blob,
            async (context, registry) =>
            {
                await RegistryFaults.NoContentLength(context, registry);
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }
        );
        Assert.That(await ReadAsync(scene, blob).WaitAsync(TimeSpan.FromSeconds(60)), Is.EqualTo(Content));
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_empty_blob_can_be_read()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", ReadOnlyMemory<byte>.Empty);
        Assert.That(await ReadAsync(scene, blob), Is.Empty);
    }

    [Test]
    public async Task A_stalled_stream_is_requested_again()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Next(
            HttpMethod.Get,
            Kind.Blob,
            RegistryFaults.Drip(200_000, aborted => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, aborted))
        );
        using var copy = new MemoryStream();
        var reading = ReadAsync(scene, blob, copy);
        await TestWait.UntilAsync(() => copy.Length == 200_000);
        await scene.Time.FireAsync(RegistryScene.Options.StallTimeout);
        await reading;
        Assert.That(copy.ToArray(), Is.EqualTo(Content));
        Assert.That(scene.Faulty.Received[1].Header("Range"), Is.EqualTo("bytes=200000-"));
    }

    [Test]
    public async Task A_stream_that_breaks_repeatedly_without_progress_is_given_up()
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 4 });
        var blob = scene.Registry.AddBlob("a", Content);
        scene.Faulty.Always(HttpMethod.Get, Kind.Blob, RegistryFaults.CutResponse(10));
        Assert.That(async () => await ReadAsync(scene, blob), Throws.InstanceOf<RegistryException>().With.Property("IsTransient").True);
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(5));
    }

    [Test]
    public async Task A_missing_blob_is_reported_at_once()
    {
        await using var scene = await RegistryScene.StartAsync();
        var blob = scene.Registry.AddBlob("b", Content);
        Assert.That(
            async () => await scene.Client.OpenBlobAsync("a", blob, default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("BLOB_UNKNOWN")
        );
    }

    private static async Task<byte[]> ReadAsync(RegistryScene scene, Descriptor blob)
    {
        using var copy = new MemoryStream();
        await ReadAsync(scene, blob, copy);
        return copy.ToArray();
    }

    private static async Task ReadAsync(RegistryScene scene, Descriptor blob, MemoryStream copy)
    {
        await using var stream = await scene.Client.OpenBlobAsync("a", blob, default);
        await stream.CopyToAsync(copy);
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
