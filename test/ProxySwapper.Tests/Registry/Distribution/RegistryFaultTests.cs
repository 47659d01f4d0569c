using System.Net;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

/// <summary>Faults of single requests, and how the client handles them.</summary>
[TestFixture]
internal sealed class RegistryFaultTests
{
    private static readonly byte[] Index =
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"""u8.ToArray();

    [Test]
    public async Task An_identity_token_that_a_registry_without_token_server_does_not_want_is_a_failed_login_each_time()
    {
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "user", Password = "password" },
            credentials: new MutableCredentials(RegistryCredential.Identity("eyJh.bGci-Oi_J9"))
        );
        for (var i = 0; i < 2; i++)
            Assert.That(
                Assert.ThrowsAsync<RegistryException>(() => scene.Client.GetManifestAsync("a", "1", default))!.Message,
                Does.Contain("unauthorized (HTTP 401)")
            );
    }

    [TestCase(408)]
    [TestCase(429)]
    [TestCase(500)]
    [TestCase(502)]
    [TestCase(503)]
    [TestCase(504)]
    public async Task Transient_failures_are_retried(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Get, Kind.Ping, RegistryFaults.Status(status), RegistryFaults.Dropped);
        await scene.Client.PingAsync(default);
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(3));
        Assert.That(scene.Time.Skipped[0].TotalMilliseconds, Is.InRange(250, 750));
        Assert.That(scene.Time.Skipped[1].TotalMilliseconds, Is.InRange(500, 1500));
    }

    [TestCase(400)]
    [TestCase(403)]
    [TestCase(404)]
    [TestCase(405)]
    [TestCase(413)]
    [TestCase(418)]
    [TestCase(501)]
    public async Task Permanent_failures_are_not_retried(int status)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Get, Kind.Manifest, RegistryFaults.Status(status, "SOME_CODE", "in its own words"));
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.GetManifestAsync("team/app", "1", default))!;
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(1));
        Assert.That(
            (fault.Method, fault.Host.Text, fault.Repository, (int)fault.Status!, fault.IsTransient),
            Is.EqualTo((HttpMethod.Get, scene.Registry.Address, "team/app", status, false))
        );
        Assert.That(fault.Errors, Is.EqualTo(new[] { new RegistryError("SOME_CODE", "in its own words") }));
        Assert.That(
            fault.Message,
            Does.StartWith($"GET {scene.Registry.Address}/team/app:1: ")
                .And.EndWith($"HTTP {status}{(status == 418 ? "" : ")")}: SOME_CODE: in its own words")
        );
    }

    [Test]
    public async Task Retries_are_limited()
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 3 });
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.Unavailable);
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.PingAsync(default))!;
        Assert.That(
            (scene.Faulty.Received.Count, fault.Status, fault.IsTransient),
            Is.EqualTo((4, HttpStatusCode.ServiceUnavailable, true))
        );
    }

    [TestCase("7")]
    [TestCase("Thu, 01 Jan 2026 00:00:07 GMT")]
    public async Task Retry_After_is_obeyed(string value)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Get, Kind.Ping, RegistryFaults.TooManyRequests(value));
        await scene.Client.PingAsync(default);
        Assert.That(scene.Time.Skipped.Aggregate(TimeSpan.Zero, (sum, pause) => sum + pause).TotalSeconds, Is.InRange(7, 8));
    }

    [Test]
    public async Task A_Retry_After_beyond_the_longest_pause_is_not_retried()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.TooManyRequests("3600"));
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.PingAsync(default))!;
        Assert.That((scene.Faulty.Received.Count, fault.RetryAfter), Is.EqualTo((1, TimeSpan.FromHours(1))));
    }

    [Test]
    public async Task A_registry_that_is_missing_is_a_clear_error()
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 1 });
        await scene.Registry.DisposeAsync();
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.PingAsync(default))!;
        Assert.That(fault.Message, Does.StartWith($"GET {scene.Registry.Address}: no response: ").And.Contain("refused"));
    }

    [Test]
    public async Task A_registry_that_never_responds_is_given_up()
    {
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 0 });
        var requested = new TaskCompletionSource();
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.NoResponse(requested.SetResult));
        var ping = scene.Client.PingAsync(default);
        await requested.Task;
        scene.Time.Advance(TimeSpan.FromDays(1));
        Assert.That(
            async () => await ping,
            Throws.InstanceOf<RegistryException>().With.Message.Contain("no response within").And.Property("IsTransient").True
        );
    }

    [Test]
    public async Task A_cancelled_call_throws_OperationCanceledException()
    {
        await using var scene = await RegistryScene.StartAsync();
        using var caller = new CancellationTokenSource();
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.NoResponse(() => _ = caller.CancelAsync()));
        Assert.That(async () => await scene.Client.PingAsync(caller.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_credential_follows_a_redirect_within_the_host_and_to_no_other()
    {
        await using var elsewhere = await FaultyRegistry.StartAsync();
        var user = new MutableCredentials(RegistryCredential.Basic("user", "s3cret"));
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "user", Password = "s3cret" },
            credentials: user
        );
        var content = "content"u8.ToArray();
        elsewhere.Registry.AddBlob("a", content);
        var blob = scene.Registry.AddBlob("a", content);
        scene.Registry.AddBlob("moved", content);
        await scene.Client.PingAsync(default);
        scene.Faulty.Next(
            HttpMethod.Get,
            Kind.Blob,
            RegistryFaults.Redirect($"/v2/moved/blobs/{blob.Digest}"),
            RegistryFaults.None,
            RegistryFaults.RedirectToOrigin($"http://{elsewhere.Address}")
        );
        await ReadAsync(scene.Client, blob);
        Assert.That(scene.Faulty.Received[^1].Path, Does.Contain("/moved/"));
        Assert.That(scene.Faulty.Received[^1].Header("Authorization"), Is.Not.Null);
        await ReadAsync(scene.Client, blob);
        Assert.That(elsewhere.Received.Single().Header("Authorization"), Is.Null);
        // A redirect from another host back to the first one does not get the credential either.
        scene.Faulty.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.RedirectToOrigin($"http://{elsewhere.Address}"));
        elsewhere.Next(HttpMethod.Get, Kind.Blob, RegistryFaults.RedirectToOrigin($"http://{scene.Registry.Address}"));
        Assert.That(async () => await ReadAsync(scene.Client, blob), Throws.InstanceOf<RegistryException>());
        Assert.That(scene.Faulty.Received[^1].Header("Authorization"), Is.Null);
        Assert.That(user.Renewed, Is.Zero);
    }

    [TestCase("http://169.254.169.254/latest/meta-data", "link-local")]
    [TestCase("ftp://example.com/", "not an https URL")]
    public async Task A_redirect_to_where_nothing_is_to_be_had_is_rejected(string target, string reason)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.Redirect(target));
        Assert.That(async () => await scene.Client.PingAsync(default), Throws.InstanceOf<RegistryException>().With.Message.Contain(reason));
    }

    [Test]
    public async Task Redirects_end()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(HttpMethod.Get, Kind.Ping, RegistryFaults.Redirect("/v2/"));
        Assert.That(
            async () => await scene.Client.PingAsync(default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("more than 5 redirects")
        );
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(6));
    }

    /// <summary>
    /// Private ECR responds with 403, public ECR with 400, both without a challenge; responses to HEAD have no error body.
    /// </summary>
    [Test]
    public async Task An_expired_password_of_ECR_is_renewed_after_a_rejection_without_a_challenge(
        [Values(403, 400)] int status,
        [Values] bool isHead
    )
    {
        var user = new MutableCredentials(RegistryCredential.Basic("AWS", "old"), RegistryCredential.Basic("AWS", "new"));
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "AWS", Password = "new" },
            credentials: user
        );
        scene.Registry.AddManifest("a", MediaTypes.OciIndex, Index, "1");
        scene.Faulty.Guard = (context, registry) =>
            context.Request.Headers.Authorization.ToString() is var sent
            && sent.Length > 0
            && sent != "Basic " + Convert.ToBase64String("AWS:new"u8)
                ? RegistryFaults.Status(status, "DENIED", "Your authorization token has expired.")(context, registry)
                : registry(context);
        Assert.That(
            isHead
                ? (await scene.Client.HeadManifestAsync("a", "1", default))!.Digest
                : (await scene.Client.GetManifestAsync("a", "1", default)).Digest,
            Is.EqualTo(Digest.OfBytes(Index))
        );
        Assert.That(user.Renewed, Is.EqualTo(1));
    }

    [Test]
    public async Task What_is_forbidden_with_the_same_credential_stays_forbidden()
    {
        var user = new MutableCredentials(RegistryCredential.Basic("user", "s3cret"));
        await using var scene = await RegistryScene.StartAsync(
            new InMemoryRegistryOptions { Username = "user", Password = "s3cret" },
            credentials: user
        );
        scene.Faulty.Always(HttpMethod.Get, Kind.Manifest, RegistryFaults.Status(403, "DENIED", "no"));
        await scene.Client.PingAsync(default);
        var before = scene.Faulty.Received.Count;
        Assert.That(async () => await scene.Client.GetManifestAsync("a", "1", default), Throws.InstanceOf<RegistryException>());
        Assert.That(scene.Faulty.Received.Count - before, Is.EqualTo(1));
    }

    [Test]
    public async Task Pulls_that_remain_are_read_logged_and_shown()
    {
        await using var scene = await RegistryScene.StartAsync();
        Assert.That(scene.Client.RateLimit, Is.Null);
        scene.Faulty.Next(
            HttpMethod.Get,
            Kind.Ping,
            RegistryFaults.Header("ratelimit-remaining", "76;w=21600"),
            RegistryFaults.Header("ratelimit-remaining", ";w=60"),
            RegistryFaults.Header("ratelimit-remaining", "3")
        );
        await scene.Client.PingAsync(default);
        Assert.That(scene.Client.RateLimit, Is.EqualTo(new RateLimitStatus(76, null, TimeSpan.FromHours(6), scene.Client.RateLimit!.At)));
        await scene.Client.PingAsync(default);
        Assert.That(scene.Client.RateLimit!.Remaining, Is.EqualTo(76), "an empty number says nothing");
        await scene.Client.PingAsync(default);
        Assert.That(scene.Client.RateLimit, Is.EqualTo(new RateLimitStatus(3, null, null, scene.Client.RateLimit!.At)));
        Assert.That(scene.Log.Text, Does.Contain("only 3 of"));
    }

    [Test]
    public async Task A_wrong_name_is_a_fault_of_the_caller()
    {
        await using var scene = await RegistryScene.StartAsync();
        Assert.That(async () => await scene.Client.HeadManifestAsync("../catalog", "1", default), Throws.ArgumentException);
        Assert.That(async () => await scene.Client.HeadManifestAsync("a", "1?x=y", default), Throws.ArgumentException);
    }

    private static async Task ReadAsync(RegistryClient client, Descriptor blob)
    {
        await using var stream = await client.OpenBlobAsync("a", blob, default);
        await stream.CopyToAsync(Stream.Null);
    }
}
