using ProxySwapper.Registry.Authentication;

namespace ProxySwapper.Tests.Registry.Authentication;

[TestFixture]
internal sealed class AuthenticationChallengeTests
{
    private const string Hub = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"";

    [TestCase("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"")]
    [TestCase("bearer   realm = \"https://auth.docker.io/token\" ,\t service=registry.docker.io ")]
    [TestCase("BEARER Realm=https://auth.docker.io/token,SERVICE=\"registry.docker.io\"")]
    [TestCase(",, Bearer realm=\"https:\\//auth.docker.io/token\", service=\"registry.docker.io\",,")]
    [TestCase("Basic realm=\"a, b=\\\"c\\\"\", Bearer realm=\"https://auth.docker.io/token\", service=\"registry.docker.io\"")]
    [TestCase("Negotiate, Bearer realm=\"https://auth.docker.io/token\", service=\"registry.docker.io\"")]
    [TestCase("Bearer realm=\"https://auth.docker.io/token\", service=\"registry.docker.io\", Basic realm=\"x\"")]
    public void A_bearer_challenge_is_found_in_every_notation(string header)
    {
        var challenge = Read(header)!;
        Assert.That(
            (challenge.IsBearer, challenge.Realm, challenge.Service),
            Is.EqualTo((true, "https://auth.docker.io/token", "registry.docker.io"))
        );
    }

    [Test]
    public void Challenges_may_come_in_many_headers() => Assert.That(Read("Basic realm=\"x\"", Hub)!.IsBearer, Is.True);

    [Test]
    public void A_quoted_string_may_hold_what_looks_like_more()
    {
        var challenge = Read("Basic realm=\"one, Bearer realm=\\\"https://evil.example.com\\\"\"")!;
        Assert.That((challenge.IsBasic, challenge.Realm), Is.EqualTo((true, "one, Bearer realm=\"https://evil.example.com\"")));
    }

    [Test]
    public void Scopes_are_separated_by_blanks() =>
        Assert.That(
            Read(Hub + ",scope=\"repository:a/b:pull,push  repository:c:pull\"")!.Scopes,
            Is.EqualTo(new[] { "repository:a/b:pull,push", "repository:c:pull" })
        );

    [TestCase("")]
    [TestCase("Digest realm=\"x\"")]
    [TestCase("Bearer service=\"no realm\"")]
    [TestCase("=\"\\")]
    public void Unsupported_challenges_are_ignored(string header) => Assert.That(Read(header), Is.Null);

    [FsCheck.NUnit.Property]
    public bool Reading_never_throws_and_ends(string? text) => AuthenticationChallengeParser.Parse(text ?? "") is not null;

    private static AuthenticationChallenge? Read(params IEnumerable<string> values)
    {
        using var response = new HttpResponseMessage();
        foreach (var value in values)
            response.Headers.TryAddWithoutValidation("WWW-Authenticate", value);
        return AuthenticationChallenge.Of(response.Headers);
    }
}
