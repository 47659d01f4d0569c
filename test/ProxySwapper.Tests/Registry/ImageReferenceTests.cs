using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

[TestFixture]
internal sealed class ImageReferenceTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [TestCase("nginx", "docker.io/library/nginx")]
    [TestCase("index.docker.io/team/x:1", "docker.io/team/x:1")]
    [TestCase("localhost/x", "localhost/x")]
    [TestCase("registry:5000/x@sha256:" + Hex, "registry:5000/x@sha256:" + Hex)]
    [TestCase("[::1]:5000/x:1", "[::1]:5000/x:1")]
    public void Is_normalised(string text, string expected) => Assert.That(ImageReference.Parse(text).ToString(), Is.EqualTo(expected));

    [FsCheck.NUnit.Property]
    public bool Never_throws(string? text) => !ImageReference.TryParse(text, out var reference) || ImageReference.Parse(reference.ToString()) == reference;
}
