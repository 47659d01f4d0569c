using System.Net;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Clouds;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Authentication;

/// <summary>An error about a token server names it, as the registry did, and says what is wrong with it.</summary>
[TestFixture]
internal sealed class TokenRealmTests
{
    [TestCase("https://auth.example.com/token", null)]
    [TestCase("http://r.example.com:5001/token", null)]
    [TestCase("http://auth.example.com/token", "is neither an https URL nor on the registry's own host")]
    [TestCase("/token", "is neither an https URL nor on the registry's own host")]
    [TestCase("https://user:password@auth.example.com/token", "has user info in its URL")]
    [TestCase("https://169.254.169.254/token", "is a link-local or cloud metadata address")]
    [TestCase("not an address", "is not an absolute URL")]
    public void What_is_wrong_with_a_realm_is_said(string realm, string? reason) =>
        Assert.That(TokenRealm.Validate(realm, new Uri("http://r.example.com")), Is.EqualTo(reason));

    [TestCase("https://user:password@auth.example.com/token?key=value", "https://auth.example.com/token")]
    [TestCase("/token", "/token")]
    [TestCase("token?key=value", "token")]
    [TestCase("//user:password@auth.example.com/token#x", "//auth.example.com/token")]
    [TestCase("user:password@auth.example.com", "auth.example.com")]
    [TestCase("ftp://user:password@auth.example.com/token", "ftp://auth.example.com/token")]
    [TestCase("", "(its challenge has no realm)")]
    [TestCase(null, "(its challenge has no realm)")]
    public void A_realm_is_shown_as_it_was_sent_without_secrets(string? realm, string expected) =>
        Assert.That(TokenRealm.Describe(realm), Is.EqualTo(expected));

    [Test]
    public async Task A_realm_with_user_info_is_rejected_for_that()
    {
        await using var tokens = await TokenServer.StartAsync();
        tokens.NamedRealm = "https://u:pp@evil.example.com/token";
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Guard = tokens.GuardAsync;
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("team/app", "1", default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.EndsWith(
                    "its token server https://evil.example.com/token has user info in its URL, so no credential is sent to it"
                )
        );
    }

    [Test]
    public async Task A_redirect_of_a_token_server_that_is_not_followed_names_realm_and_scope()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Guard = tokens.GuardAsync;
        tokens.NextFault = RegistryFaults.Redirect("http://169.254.169.254/latest");
        Assert.That(
            async () => await scene.Client.HeadManifestAsync("team/app", "1", default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.Contain(
                    $": the token server {tokens.Realm}, scope repository:team/app:pull: redirected to http://169.254.169.254,"
                )
        );
    }

    [Test]
    public async Task A_token_server_that_cannot_be_reached_is_named()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync(options: RegistryScene.Options with { MaxRetries = 0 });
        tokens.NamedRealm = "http://127.0.0.1:1/token";
        scene.Faulty.Guard = tokens.GuardAsync;
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.HeadManifestAsync("team/app", "1", default))!;
        Assert.That(
            fault.Message,
            Does.Contain("no response: the token server http://127.0.0.1:1/token, scope repository:team/app:pull: ")
        );
    }

    /// <summary>The registry, which got the password by Basic, is who names the realm.</summary>
    [Test]
    public async Task A_realm_with_an_echo_of_the_password_is_not_shown()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var scene = await RegistryScene.StartAsync(
            options: RegistryScene.Options with
            {
                MaxRetries = 0,
            },
            credentials: new MutableCredentials(RegistryCredential.Basic("user", "s3cret"))
        );
        tokens.AcceptsGet = false;
        tokens.NamedRealm = $"{tokens.Realm}/dXNlcjpzM2NyZXQ=";
        scene.Faulty.Guard = tokens.GuardAsync;
        var fault = Assert.ThrowsAsync<RegistryException>(() => scene.Client.HeadManifestAsync("team/app", "1", default))!;
        Assert.That(fault.Message, Does.Contain($"{tokens.Realm}/***").And.Not.Contain("dXNlcjpzM2NyZXQ"));
        Assert.That(fault.Status, Is.Not.EqualTo(HttpStatusCode.OK));
    }
}
