using ProxySwapper.CredentialHelper;

namespace ProxySwapper.Tests.CredentialHelper;

internal sealed class CredentialServerAddressTests
{
    [TestCase("r.example", "r.example/credential")]
    [TestCase("r.example:5000", "r.example:5000/credential")]
    [TestCase("localhost", "localhost/credential")]
    [TestCase("[::1]:5000", "[::1]:5000/credential")]
    [TestCase("https://r.example", "r.example/credential")]
    [TestCase("https://r.example/v2/", "r.example/credential")]
    [TestCase("https://index.docker.io/v1/", "docker.io/library/credential")]
    [TestCase("registry-1.docker.io", "docker.io/library/credential")]
    [TestCase("r.example/team/app", "r.example/team/app")]
    [TestCase("nonsense", null)]
    [TestCase("", null)]
    [TestCase("r.example\nother.example", null)]
    [TestCase("-r.example", null)]
    public void An_address_becomes_its_registry(string server, string? image) =>
        Assert.That(CredentialServerAddress.TryParse(server, out var parsed) ? parsed.ToString() : null, Is.EqualTo(image));
}
