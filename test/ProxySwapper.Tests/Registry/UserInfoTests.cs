using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

/// <summary>Addresses in messages lose their passwords, and nothing else.</summary>
[TestFixture]
internal sealed class UserInfoTests
{
    private const string Digest = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

    [TestCase("unknown argument 'http://me:secret@y/x'", "unknown argument 'http://***@y/x'")]
    [TestCase("https://token@y", "https://***@y")]
    [TestCase("invalid image 'me:secret@y.example/x': why", "invalid image '***@y.example/x': why")]
    [TestCase("http://me:p@ss/w'rd@y and me:secret@z", "http://***@y and ***@z")]
    [TestCase("me:secret@y/x@" + Digest, "***@y/x@" + Digest)]
    [TestCase("a.yaml:1:2: registries[0].host: [me:secret@y,\n{me:secret@z}", "a.yaml:1:2: registries[0].host: [***@y,\n{***@z}")]
    [TestCase(":secret@y", "***@y")]
    [TestCase("'https://me:my pass@y' is not a registry host", "'https://***@y' is not a registry host")]
    [TestCase("http://me:secret@sha1.example/x", "http://***@sha1.example/x")]
    [TestCase("http://me:my pass@y:5000 nginx@" + Digest, "http://***@y:5000 nginx@" + Digest)]
    public void User_and_password_are_hidden(string text, string shown) => Assert.That(UserInfo.Hide(text), Is.EqualTo(shown));

    [TestCase("")]
    [TestCase("@")]
    [TestCase(" a  b\t@c\n")]
    [TestCase("http://y:80/x")]
    [TestCase("localhost:5000/nginx:1.27@" + Digest)]
    [TestCase("write to: me@example.com")]
    [TestCase("http://y:80/x failed for team/app@" + Digest)]
    [TestCase("'http://y:80' failed for me@example.com")]
    public void Other_text_stays(string text) => Assert.That(UserInfo.Hide(text), Is.EqualTo(text));

    [TestCase("http://me:p%40ss@proxy:3128/", "http://proxy:3128/", "me", "p@ss")]
    [TestCase("socks5://me@proxy:1080/", "socks5://proxy:1080/", "me", "")]
    public void An_address_is_divided_from_its_credential(string text, string address, string user, string password)
    {
        var credential = UserInfo.CredentialOf(new(text))!;
        Assert.That(
            (UserInfo.Remove(new(text)).AbsoluteUri, credential.UserName, credential.Password),
            Is.EqualTo((new Uri(address).AbsoluteUri, user, password))
        );
    }

    [Test]
    public void An_address_may_have_no_credential()
    {
        var address = new Uri("http://proxy:3128");
        Assert.That((UserInfo.Remove(address), UserInfo.CredentialOf(address)), Is.EqualTo((address, (System.Net.NetworkCredential?)null)));
    }
}
