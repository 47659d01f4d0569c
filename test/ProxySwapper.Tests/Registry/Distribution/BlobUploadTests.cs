using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

[TestFixture]
internal sealed class BlobUploadTests
{
    private static readonly byte[] Content = RandomBytes(1_000_000);
    private static readonly Descriptor Blob = new("application/octet-stream", Digest.OfBytes(Content), Content.Length);

    [Test]
    public async Task One_POST_and_one_PUT_are_enough()
    {
        await using var scene = await RegistryScene.StartAsync();
        await UploadAsync(scene);
        Assert.That(scene.Faulty.Received.Select(request => request.Method), Is.EqualTo(new[] { "POST", "PUT" }));
        Assert.That(scene.Faulty.Received[1].Header("Content-Length"), Is.EqualTo("1000000"));
        AssertExists(scene);
    }

    [Test]
    public async Task An_absolute_location_keeps_its_own_query()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, RegistryFaults.AbsoluteLocation);
        await UploadAsync(scene);
        Assert.That(scene.Faulty.Received[1].Query, Is.EqualTo($"?_state=a%2Fb%3D&digest={Uri.EscapeDataString(Blob.Digest.ToString())}"));
        AssertExists(scene);
    }

    [TestCase(0)]
    [TestCase(400_000)]
    public async Task A_broken_upload_is_restarted_and_leaves_no_session(int after)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Put, Kind.Upload, RegistryFaults.CutRequest(after));
        var opened = 0;
        await scene.Client.UploadBlobAsync(
            "a",
            Blob,
            _ =>
            {
                opened++;
                return Task.FromResult<Stream>(new MemoryStream(Content));
            },
            null,
            default
        );
        Assert.That(opened, Is.EqualTo(2));
        AssertExists(scene);
        Assert.That(scene.Registry.Repository("a").Uploads, Is.Empty);
    }

    [Test]
    public async Task Faults_of_every_step_end_in_the_blob()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Post, Kind.Upload, RegistryFaults.Unavailable, RegistryFaults.Dropped, RegistryFaults.LostResponse);
        scene.Faulty.Next(
            HttpMethod.Put,
            Kind.Upload,
            RegistryFaults.LostSessionAs(503),
            RegistryFaults.LostResponse,
            RegistryFaults.TooManyRequests("1")
        );
        await UploadAsync(scene);
        AssertExists(scene);
    }

    [Test]
    public async Task A_lost_session_is_a_clear_error_and_never_a_blob()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Put, Kind.Upload, RegistryFaults.LostSession);
        Assert.That(
            async () => await UploadAsync(scene),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("BLOB_UPLOAD_UNKNOWN")
        );
        Assert.That(scene.Registry.Repository("a").Blobs, Is.Empty);
    }

    [Test]
    public async Task A_fault_of_the_content_is_thrown_as_it_is_and_cancels_the_session()
    {
        await using var scene = await RegistryScene.StartAsync();
        Assert.That(
            async () =>
                await scene.Client.UploadBlobAsync("a", Blob, _ => throw new InvalidOperationException("of the source"), null, default),
            Throws.InvalidOperationException
        );
        Assert.That(
            async () =>
                await scene.Client.UploadBlobAsync("a", Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content, 0, 5)), null, default),
            Throws.InstanceOf<EndOfStreamException>()
        );
        Assert.That(scene.Registry.Repository("a").Uploads, Is.Empty);
    }

    [Test]
    public async Task A_cancelled_upload_leaves_no_session()
    {
        await using var scene = await RegistryScene.StartAsync();
        using var caller = new CancellationTokenSource();
        scene.Faulty.Next(HttpMethod.Put, Kind.Upload, RegistryFaults.NoResponse(() => _ = caller.CancelAsync()));
        Assert.That(
            async () =>
                await scene.Client.UploadBlobAsync("a", Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), null, caller.Token),
            Throws.InstanceOf<OperationCanceledException>()
        );
        Assert.That(scene.Registry.Repository("a").Uploads, Is.Empty);
    }

    [Test]
    public async Task An_upload_rejected_for_its_size_is_sent_in_chunks()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always((request, _) => request.Method is "PUT" or "PATCH", RegistryFaults.BodyLimit(300_000));
        await UploadAsync(scene);
        AssertExists(scene);
        var chunks = scene
            .Faulty.Received.Where(request => request.Method == "PATCH" && request.Header("Content-Length") == "250000")
            .Select(request => request.Header("Content-Range"));
        Assert.That(chunks, Is.EqualTo(new[] { "0-249999", "250000-499999", "500000-749999", "750000-999999" }));
        var before = scene.Faulty.Received.Count;
        await scene.Client.UploadBlobAsync("b", Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), null, default);
        Assert.That(scene.Faulty.Received.Count - before, Is.EqualTo(6), "the host's limit is remembered");
    }

    [Test]
    public async Task Broken_chunks_continue_where_the_session_is()
    {
        await using var scene = await RegistryScene.StartAsync(new InMemoryRegistryOptions { ChunkMinLength = 100_000 });
        scene.Faulty.Always((request, kind) => request.Method == "PUT" && kind == Kind.Upload, RegistryFaults.BodyLimit(600_000));
        scene.Faulty.Next(
            HttpMethod.Patch,
            Kind.Upload,
            RegistryFaults.LostResponse,
            RegistryFaults.CutRequest(1000),
            RegistryFaults.PatchCreated,
            RegistryFaults.Status(416)
        );
        await UploadAsync(scene);
        AssertExists(scene);
        Assert.That(scene.Registry.Count(HttpMethod.Get, Kind.Upload), Is.EqualTo(2));
        Assert.That(scene.Registry.Count(HttpMethod.Post, Kind.Upload), Is.EqualTo(2), "one for the whole, one for the chunks");
    }

    [Test]
    public async Task A_mount_that_is_rejected_hands_its_session_to_the_upload()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Registry.AddBlob("from", Content);
        scene.Faulty.Always(HttpMethod.Post, Kind.Mount, RegistryFaults.RejectedMount);
        Assert.That(await scene.Client.MountBlobAsync("a", Blob.Digest, "from", default), Is.False);
        await UploadAsync(scene);
        Assert.That(scene.Faulty.Received.Select(request => request.Method), Is.EqualTo(new[] { "POST", "PUT" }));
        AssertExists(scene);
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(403)]
    [TestCase(404)]
    [TestCase(405)]
    public async Task A_rejected_mount_is_not_an_error(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Mount, RegistryFaults.Status(status));
        Assert.That(await scene.Client.MountBlobAsync("a", Blob.Digest, "from", default), Is.False);
    }

    [Test]
    public async Task A_repository_that_ECR_does_not_have_is_known_after_one_dropped_upload()
    {
        var user = new MutableCredentials(RegistryCredential.Basic("AWS", "s3cret"));
        await using var scene = await RegistryScene.StartAsync(credentials: user);
        scene.Faulty.Guard = (context, registry) =>
            context.Request.Headers.Authorization.Count == 0
                ? RegistryFaults.Status(
                    401,
                    "UNAUTHORIZED",
                    "",
                    ("WWW-Authenticate", "Basic realm=\"https://1.dkr.ecr.eu-central-1.amazonaws.com/\",service=\"ecr.amazonaws.com\"")
                )(context, registry)
                : registry(context);
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, RegistryFaults.Dropped);
        var fault = Assert.ThrowsAsync<RegistryException>(() => UploadAsync(scene))!;
        Assert.That((fault.IsRepositoryUnknown, fault.HasCode("NAME_UNKNOWN")), Is.EqualTo((true, true)));
        Assert.That(scene.Time.Skipped, Is.Empty);
        scene.Registry.Repository("a");
        Assert.That(
            Assert.ThrowsAsync<RegistryException>(() => UploadAsync(scene))!.IsRepositoryUnknown,
            Is.False,
            "it exists: then it is the network"
        );
    }

    [Test]
    public async Task An_empty_blob_is_uploaded()
    {
        await using var scene = await RegistryScene.StartAsync();
        var empty = new Descriptor("application/octet-stream", Digest.OfBytes([]), 0);
        await scene.Client.UploadBlobAsync("a", empty, _ => Task.FromResult<Stream>(new MemoryStream()), null, default);
        Assert.That(scene.Registry.Repository("a").Blobs[empty.Digest].Length, Is.Zero);
    }

    private static Task UploadAsync(RegistryScene scene) =>
        scene.Client.UploadBlobAsync("a", Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), null, default);

    private static void AssertExists(RegistryScene scene) =>
        Assert.That(scene.Registry.Repository("a").Blobs[Blob.Digest].Span.SequenceEqual(Content), Is.True);

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(11).NextBytes(bytes);
        return bytes;
    }
}
