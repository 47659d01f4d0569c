using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>Registries that reject one kind of upload and accept another.</summary>
[TestFixture]
internal sealed class UploadFallbackTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(number => (byte)(number * 7 >> 3))];
    private static readonly Descriptor Blob = new("application/octet-stream", Digest.OfBytes(Content), Content.Length);

    [TestCase(404, "BLOB_UPLOAD_UNKNOWN")]
    [TestCase(400, "BLOB_UPLOAD_INVALID")]
    [TestCase(400, "DIGEST_INVALID")]
    [TestCase(416, "UNKNOWN")]
    public async Task A_session_of_another_replica_is_started_again(int status, string code)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Put, Kind.Upload, Rejected(status, code), Rejected(status, code));
        await UploadAsync(scene);
        AssertExists(scene);
        Assert.That(scene.Registry.Count(HttpMethod.Post, Kind.Upload), Is.EqualTo(3));
    }

    [Test]
    public async Task Chunks_whose_session_is_lost_again_and_again_end_in_an_error()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always((request, _) => request.Method is "PUT", RegistryFaults.BodyLimit(200_000));
        var chunks = 0;
        scene.Faulty.Always((request, kind) => request.Method == "PATCH" && ++chunks % 2 == 0, Rejected(404, "BLOB_UPLOAD_UNKNOWN"));
        Assert.That(
            async () => await UploadAsync(scene),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("BLOB_UPLOAD_UNKNOWN").And.Message.Contain(Blob.Digest.ToString())
        );
    }

    [TestCase(405, "UNSUPPORTED")]
    [TestCase(400, "UNSUPPORTED")]
    [TestCase(501, "UNKNOWN")]
    [TestCase(411, "UNKNOWN")]
    public async Task A_registry_that_rejects_a_single_PUT_gets_the_blob_by_PATCH(int status, string code)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always((request, kind) => request.Method == "PUT" && request.ContentLength > 0, Rejected(status, code));
        await UploadAsync(scene);
        AssertExists(scene);
        await UploadAsync(scene);
        Assert.That(
            scene.Faulty.Received.Select(request => request.Method),
            Is.EqualTo(new[] { "POST", "PUT", "DELETE", "POST", "PATCH", "PUT", "POST", "PATCH", "PUT" }),
            "that is remembered of the host"
        );
    }

    [Test]
    public async Task Uploads_under_way_when_another_is_rejected_for_its_size_take_its_chunk_size()
    {
        const int uploads = 5;
        await using var scene = await RegistryScene.StartAsync();
        var waiting = 0;
        var (all, chunked) = (new TaskCompletionSource(), new TaskCompletionSource());
        scene.Faulty.Always(
            HttpMethod.Put,
            Kind.Upload,
            async (context, registry) =>
            {
                if (context.Request.ContentLength > 0)
                {
                    await context.Request.Body.CopyToAsync(Stream.Null);
                    var number = Interlocked.Increment(ref waiting);
                    if (number == uploads)
                        all.SetResult();
                    await (number == 1 ? all : chunked).Task;
                }
                await RegistryFaults.BodyLimit(160_000)(context, registry);
            }
        );
        scene.Faulty.Always(
            HttpMethod.Patch,
            Kind.Upload,
            (context, registry) =>
            {
                chunked.TrySetResult();
                return RegistryFaults.BodyLimit(160_000)(context, registry);
            }
        );
        await Task.WhenAll(Enumerable.Range(0, uploads).Select(number => UploadAsync(scene, $"a{number}")));
        Assert.That(
            scene.Faulty.Received.Where(request => request.Method == "PATCH").Select(request => request.Header("Content-Length")),
            Is.All.EqualTo("150000"),
            "half of what was rejected, once"
        );
    }

    [Test]
    public async Task A_blob_of_one_byte_is_sent_in_a_chunk()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always((request, kind) => request.Method == "PUT" && request.ContentLength > 0, Rejected(405, "UNSUPPORTED"));
        var one = new Descriptor("application/octet-stream", Digest.OfBytes([7]), 1);
        await scene.Client.UploadBlobAsync("a", one, _ => Task.FromResult<Stream>(new MemoryStream([7])), null, default);
        Assert.That(scene.Registry.Count(HttpMethod.Patch, Kind.Upload), Is.EqualTo(1));
    }

    [TestCase("0-0", "it has 0 of 300000 bytes after 150000 were sent", 4)]
    [TestCase("0-299999", "the upload's session is lost", 2)]
    public async Task Chunks_whose_position_is_never_confirmed_end_in_an_error(string range, string message, int expected)
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 1 });
        scene.Faulty.Always((request, _) => request.Method is "PUT", RegistryFaults.BodyLimit(200_000));
        var chunks = 0;
        scene.Faulty.Always(
            (request, kind) => kind == Kind.Upload && request.Method is "PATCH" or "GET",
            async (context, registry) =>
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                var isChunk = context.Request.Method == "PATCH";
                // So that a client that sends a chunk again and again ends.
                var status =
                    isChunk && ++chunks > 100 ? 400
                    : isChunk ? 202
                    : 200;
                await RegistryFaults.Status(status, headers: ("Range", range))(context, registry);
            }
        );
        Assert.That(async () => await UploadAsync(scene), Throws.InstanceOf<RegistryException>().With.Message.Contain(message));
        Assert.That(chunks, Is.EqualTo(expected), "in two sessions");
    }

    [TestCase(416)]
    [TestCase(422)]
    [TestCase(429)]
    [TestCase(500)]
    [TestCase(503)]
    public async Task A_mount_that_fails_is_an_upload_without_delay(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Mount, RegistryFaults.Status(status));
        Assert.That(await scene.Client.MountBlobAsync("a", Blob.Digest, "from", default), Is.False);
        Assert.That(scene.Registry.Count(HttpMethod.Post, Kind.Mount), Is.EqualTo(1));
        Assert.That(scene.Time.Skipped, Is.Empty);
    }

    [Test]
    public async Task A_token_server_that_denies_a_token_for_two_repositories_does_not_prevent_an_upload()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Guard = tokens.GuardAsync;
        await scene.Client.PingAsync(default);
        tokens.NextFault = RegistryFaults.Status(400, "UNSUPPORTED", "one scope at a time");
        Assert.That(await scene.Client.MountBlobAsync("a", Blob.Digest, "from", default), Is.False);
        await UploadAsync(scene);
        AssertExists(scene);
    }

    [TestCase("http://{0}")]
    [TestCase("https://{0}")]
    [TestCase("http://127.0.0.1:1")]
    [TestCase("http://127.0.0.1")]
    public async Task A_location_on_the_registry_itself_keeps_the_scheme_and_the_port_that_it_is_reached_by(string origin)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, MovedLocation(string.Format(null, origin, scene.Registry.Address)));
        await UploadAsync(scene);
        AssertExists(scene);
    }

    [TestCase("file:///etc/passwd", "not an https URL")]
    [TestCase("ftp://example.com/v2/a/blobs/uploads/1", "not an https URL")]
    [TestCase("http://169.254.169.254/latest", "link-local")]
    [TestCase("https://169.254.169.254./latest", "link-local")]
    [TestCase("https://[64:ff9b::a9fe:a9fe]/latest", "link-local")]
    [TestCase("https://[fd00:ec2::254]/latest", "link-local")]
    public async Task A_location_that_nothing_may_be_sent_to_is_rejected_by_name(string location, string reason)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Post, Kind.Upload, RegistryFaults.Header("Location", location));
        Assert.That(
            async () => await UploadAsync(scene),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain(reason)
                .And.Message.Contain(new Uri(location).Scheme + "://")
                .And.Message.Contain(Blob.Digest.ToString())
        );
        Assert.That(scene.Time.Skipped, Is.Empty, "another request changes nothing");
    }

    [TestCase("https://r.example.com/v2/", "http://elsewhere.example.com/upload", false)]
    [TestCase("https://r.example.com/v2/", "https://elsewhere.example.com/upload", true)]
    [TestCase("http://r.example.com/v2/", "http://elsewhere.example.com/upload", true)]
    public void Encryption_is_not_lost_on_the_way_to_another_host(string from, string to, bool isTaken) =>
        Assert.That(RedirectingSender.Validate(new Uri(from), new Uri(to)) is null, Is.EqualTo(isTaken));

    private static RegistryFault Rejected(int status, string code) =>
        async (context, registry) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await RegistryFaults.Status(status, code)(context, registry);
        };

    private static RegistryFault MovedLocation(string origin) =>
        async (context, registry) =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.Location = origin + context.Response.Headers.Location;
                return Task.CompletedTask;
            });
            await registry(context);
        };

    private static Task UploadAsync(RegistryScene scene, string repository = "a") =>
        scene.Client.UploadBlobAsync(repository, Blob, _ => Task.FromResult<Stream>(new MemoryStream(Content)), null, default);

    private static void AssertExists(RegistryScene scene) =>
        Assert.That(scene.Registry.Repository("a").Blobs[Blob.Digest].Span.SequenceEqual(Content), Is.True);
}
