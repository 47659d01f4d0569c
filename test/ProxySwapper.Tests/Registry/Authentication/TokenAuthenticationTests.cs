using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Authentication;

/// <summary>Bearer challenges, against an in-process token server.</summary>
[TestFixture]
internal sealed class TokenAuthenticationTests
{
    private static readonly RegistryCredential User = RegistryCredential.Basic("user", "s3cret-of-user");
    private static readonly byte[] Index = """{"schemaVersion":2,"manifests":[]}"""u8.ToArray();

    [Test]
    public async Task A_token_is_fetched_once_and_used_until_it_ends()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.Users["user"] = User.Password;
        await using var scene = await SceneAsync(tokens, User);
        for (var i = 0; i < 3; i++)
            Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        Assert.That(tokens.Received, Has.Count.EqualTo(1));
        Assert.That(
            tokens.Received[0].Query,
            Does.Contain("service=registry.test").And.Contain("scope=repository%3Aa%2Fb%3Apull").And.Contain("account=user")
        );
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(4), "one challenge, three responses");
        scene.Time.Advance(TimeSpan.FromSeconds(269));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        Assert.That(tokens.Received, Has.Count.EqualTo(1));
        scene.Time.Advance(TimeSpan.FromSeconds(2));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        Assert.That(tokens.Received, Has.Count.EqualTo(2));
        Assert.That(scene.Faulty.Received, Has.Count.EqualTo(6), "no further challenge");
    }

    [TestCase(null)]
    [TestCase(1)]
    [TestCase(60)]
    public async Task A_lifetime_that_is_missing_or_short_is_a_minute(int? expiresIn)
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.ExpiresIn = expiresIn;
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        scene.Time.Advance(TimeSpan.FromSeconds(53));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        Assert.That(tokens.Received, Has.Count.EqualTo(1));
        scene.Time.Advance(TimeSpan.FromSeconds(2));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        Assert.That(tokens.Received, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_token_under_the_other_name_and_no_service_do()
    {
        await using var tokens = await TokenServer.StartAsync();
        (tokens.TokenName, tokens.Service) = ("access_token", null);
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        Assert.That(tokens.Received[0].Query, Does.Not.Contain("service"));
        Assert.That(tokens.Received[0].Header("Authorization"), Is.Null, "anonymous");
    }

    [Test]
    public async Task Many_requests_at_once_fetch_one_token()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        await scene.Client.HeadManifestAsync("other", "1", default);
        var gate = new TaskCompletionSource();
        tokens.Gate = gate.Task;
        var requests = Enumerable.Range(0, 5).Select(_ => scene.Client.HeadManifestAsync("a/b", "1", default)).ToList();
        await TestWait.UntilAsync(() => tokens.Received.Count == 2);
        gate.SetResult();
        await Task.WhenAll(requests);
        Assert.That(tokens.Received, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_revoked_token_is_fetched_again_once()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        tokens.Revoke();
        Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        Assert.That(tokens.Received, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_token_is_not_shared_between_two_credentials()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.Users["user"] = User.Password;
        tokens.Users["other"] = "of other";
        await using var scene = await SceneAsync(tokens, User);
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        var other = scene.Clients.For(
            RegistryName.Parse(scene.Registry.Address),
            new MutableCredentials(RegistryCredential.Basic("other", "of other"))
        );
        await other.HeadManifestAsync("a/b", "1", default);
        Assert.That(tokens.Received.Select(request => request.Header("Authorization")).Distinct().Count(), Is.EqualTo(2));
        var nobody = scene.Clients.For(RegistryName.Parse(scene.Registry.Address), CredentialChain.Anonymous);
        Assert.That(async () => await nobody.HeadManifestAsync("a/b", "1", default), Throws.InstanceOf<RegistryException>());
    }

    [Test]
    public async Task Writing_and_mounting_ask_for_their_scopes()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        var blob = scene.Registry.AddBlob("from", "content"u8.ToArray());
        Assert.That(await scene.Client.MountBlobAsync("to", blob.Digest, "from", default), Is.True);
        Assert.That(tokens.Received[^1].Query, Does.Contain("scope=repository%3Ato%3Apull%2Cpush&scope=repository%3Afrom%3Apull"));
        await scene.Client.UploadBlobAsync(
            "to",
            blob,
            _ => Task.FromResult<Stream>(new MemoryStream("content"u8.ToArray())),
            null,
            default
        );
        Assert.That(tokens.Received[^1].Query, Does.Contain("scope=repository%3Ato%3Apull%2Cpush").And.Not.Contain("from"));
        var fetched = tokens.Received.Count;
        Assert.That(await scene.Client.FindBlobAsync("to", blob, default), Is.EqualTo(BlobPresence.Present));
        Assert.That(tokens.Received, Has.Count.EqualTo(fetched), "who may write may read");
    }

    [Test]
    public async Task An_identity_token_goes_by_form_and_is_followed_when_it_changes()
    {
        await using var tokens = await RotatingServerAsync();
        await using var scene = await SceneAsync(tokens, RegistryCredential.Identity("first-s3cret"));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        tokens.IdentityTokens.Remove("first-s3cret");
        scene.Time.Advance(TimeSpan.FromMinutes(10));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        Assert.That(
            tokens.Forms[0],
            Does.Contain("grant_type=refresh_token")
                .And.Contain("refresh_token=first-s3cret")
                .And.Contain("scope=repository:a/b:pull")
                .And.Contain("service=registry.test")
        );
        Assert.That(tokens.Forms[1], Does.Contain("refresh_token=second-s3cret"));
        Assert.That(tokens.Received.Select(request => request.Query), Is.All.Empty);
    }

    [Test]
    public async Task The_identity_token_itself_is_used_when_its_replacement_is_rejected()
    {
        await using var tokens = await RotatingServerAsync();
        await using var scene = await SceneAsync(tokens, RegistryCredential.Identity("first-s3cret"));
        await scene.Client.HeadManifestAsync("a/b", "1", default);
        tokens.IdentityTokens.Remove("second-s3cret");
        tokens.NextIdentityToken = null;
        for (var i = 0; i < 2; i++)
        {
            scene.Time.Advance(TimeSpan.FromMinutes(10));
            Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        }
        Assert.That(
            tokens.Forms.Select(form => form.Contains("second-s3cret", StringComparison.Ordinal)),
            Is.EqualTo([false, true, false, false])
        );
    }

    [Test]
    public async Task A_redirect_takes_an_identity_token_nowhere()
    {
        await using var elsewhere = await TokenServer.StartAsync();
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await SceneAsync(tokens, RegistryCredential.Identity("s3cret"));
        tokens.NextFault = RegistryFaults.Redirect(elsewhere.Realm.ToString());
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("a/b", "1", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("redirected to")
        );
        Assert.That(elsewhere.Received, Is.Empty);
    }

    [Test]
    public async Task A_server_that_takes_no_GET_gets_a_form()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.AcceptsGet = false;
        tokens.Users["user"] = User.Password;
        await using var scene = await SceneAsync(tokens, User);
        Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        Assert.That(tokens.Forms.Single(), Does.Contain("grant_type=password").And.Contain("username=user"));
    }

    [Test]
    public async Task A_renewed_credential_is_tried_once()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.Users["user"] = User.Password;
        var credentials = new MutableCredentials(RegistryCredential.Basic("user", "old-s3cret"), User);
        await using var scene = await SceneAsync(tokens, credentials);
        Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
        Assert.That(credentials.Renewed, Is.EqualTo(1));
    }

    [Test]
    public async Task A_rejection_names_the_token_server_and_holds_no_secret()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.Users["user"] = "another";
        await using var scene = await SceneAsync(tokens, User);
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.HeadManifestAsync("a/b", "1", default))!;
        Assert.That(
            fault.Message,
            Does.Contain("401")
                .And.Contain(tokens.Realm.Authority)
                .And.Contain(scene.Registry.Address)
                .And.Contain("incorrect username or password")
        );
        Assert.That(fault + scene.Log.Text, Does.Not.Contain("s3cret").And.Not.Contain("scope="));
        Assert.That(scene.Time.Skipped, Is.Empty, "a rejection is not tried again");
    }

    [Test]
    public async Task A_token_server_that_fails_is_retried()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.NextFault = RegistryFaults.Unavailable;
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        Assert.That(await scene.Client.HeadManifestAsync("a/b", "1", default), Is.Not.Null);
    }

    [TestCase("http://169.254.169.254/latest")]
    [TestCase("https://169.254.169.254/latest")]
    [TestCase("https://[fe80::1]/token")]
    [TestCase("http://elsewhere.example.com/token")]
    [TestCase("file:///etc/passwd")]
    [TestCase("not an address")]
    [TestCase("https://user:password@elsewhere.example.com/token")]
    public async Task A_realm_that_is_not_to_be_trusted_is_not_called(string realm)
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.NamedRealm = realm;
        await using var scene = await SceneAsync(tokens, User);
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("a/b", "1", default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("token server")
        );
    }

    [Test]
    public async Task A_response_without_a_token_or_without_end_is_rejected()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await SceneAsync(tokens, CredentialChain.Anonymous);
        tokens.NextFault = async (context, _) => await context.Response.Body.WriteAsync("{}"u8.ToArray());
        Assert.That(
            async () => await scene.Client.PingAsync(default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("no token")
        );
        tokens.NextFault = async (context, _) => await context.Response.Body.WriteAsync(new byte[2_000_000]);
        Assert.That(
            async () => await scene.Client.PingAsync(default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("larger")
        );
    }

    /// <summary>A token server that takes the first identity token and replaces it by the second.</summary>
    private static async Task<TokenServer> RotatingServerAsync()
    {
        var tokens = await TokenServer.StartAsync();
        tokens.Users["nobody"] = "else";
        tokens.IdentityTokens.Add("first-s3cret");
        tokens.NextIdentityToken = "second-s3cret";
        return tokens;
    }

    private static Task<RegistryScene> SceneAsync(TokenServer tokens, RegistryCredential credential) =>
        SceneAsync(tokens, new MutableCredentials(credential));

    private static async Task<RegistryScene> SceneAsync(TokenServer tokens, IRegistryCredentialSource credentials)
    {
        var scene = await RegistryScene.StartAsync(credentials: credentials);
        scene.Faulty.Guard = tokens.GuardAsync;
        scene.Registry.AddManifest("a/b", MediaTypes.OciIndex, Index, "1");
        scene.Registry.AddManifest("other", MediaTypes.OciIndex, Index, "1");
        return scene;
    }
}
