using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

[TestFixture]
internal sealed class ImageReferenceTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [TestCase("nginx", "docker.io/library/nginx")]
    [TestCase("nginx:1.25", "docker.io/library/nginx:1.25")]
    [TestCase("nginx:1@sha256:" + Hex, "docker.io/library/nginx:1@sha256:" + Hex)]
    [TestCase("team/x", "docker.io/team/x")]
    [TestCase("docker.io/nginx", "docker.io/library/nginx")]
    [TestCase("index.docker.io/nginx", "docker.io/library/nginx")]
    [TestCase("index.docker.io/team/x:1", "docker.io/team/x:1")]
    [TestCase("docker.io/library/nginx", "docker.io/library/nginx")]
    [TestCase("docker.io", "docker.io/library/docker.io")]
    [TestCase("localhost", "docker.io/library/localhost")]
    [TestCase("localhost/x", "localhost/x")]
    [TestCase("localhost:5000/a/b", "localhost:5000/a/b")]
    [TestCase("registry:5000", "docker.io/library/registry:5000")]
    [TestCase("registry/x", "docker.io/registry/x")]
    [TestCase("registry:5000/x@sha256:" + Hex, "registry:5000/x@sha256:" + Hex)]
    [TestCase("10.0.0.1/x", "10.0.0.1/x")]
    [TestCase("[::1]/x", "[::1]/x")]
    [TestCase("[::1]:5000/x:1", "[::1]:5000/x:1")]
    [TestCase("Registry/x", "Registry/x")]
    [TestCase("Quay.IO/a/b:Tag", "quay.io/a/b:Tag")]
    [TestCase("quay.io:443/a", "quay.io/a")]
    [TestCase("LOCALHOST:443/a", "localhost/a")]
    [TestCase("registry:443/a", "registry:443/a")]
    [TestCase("REGISTRY:5000/a", "registry:5000/a")]
    [TestCase("[2001:DB8::1]:443/a", "[2001:db8::1]/a")]
    [TestCase("Registry-1.docker.io/nginx", "docker.io/library/nginx")]
    [TestCase("registry.hub.docker.com:443/team/x", "docker.io/team/x")]
    [TestCase("gcr.io/a/b_c/d__e/f---g", "gcr.io/a/b_c/d__e/f---g")]
    [TestCase("x:_tag", "docker.io/library/x:_tag")]
    [TestCase(Hex + ":1", "docker.io/library/" + Hex + ":1")]
    public void Is_normalised(string text, string expected) => Assert.That(ImageReference.Parse(text).ToString(), Is.EqualTo(expected));

    [TestCase(null, "empty")]
    [TestCase("", "empty")]
    [TestCase(":tag", "no repository")]
    [TestCase("@sha256:" + Hex, "no repository")]
    [TestCase("docker.io/", "no repository")]
    [TestCase("/x", "must consist of")]
    [TestCase("a//b", "must consist of")]
    [TestCase("a/", "must consist of")]
    [TestCase("a..b", "must consist of")]
    [TestCase("a___b", "must consist of")]
    [TestCase("a._b", "must consist of")]
    [TestCase("-a", "must consist of")]
    [TestCase("a-", "must consist of")]
    [TestCase("größe", "must consist of")]
    [TestCase(" nginx", "must consist of")]
    [TestCase("nginx\n", "must consist of")]
    [TestCase("[::1]", "a tag has")]
    [TestCase("UPPER", "upper-case")]
    [TestCase("r.example/UPPER", "upper-case")]
    [TestCase("a:b:c", "a tag has")]
    [TestCase("a:", "a tag has")]
    [TestCase("a:.b", "a tag has")]
    [TestCase("a:-b", "a tag has")]
    [TestCase("a:b\n", "a tag has")]
    [TestCase("a@", "a digest is")]
    [TestCase("a@sha256:12", "a digest is")]
    [TestCase("a@sha256:" + Hex + "0", "a digest is")]
    [TestCase("a@SHA256:" + Hex, "a digest is")]
    [TestCase("a@md5:d41d8cd98f00b204e9800998ecf8427e", "a digest is")]
    [TestCase("a@blake3:" + Hex, "a digest is")]
    [TestCase("a@sha256:" + Hex + ":tag", "a digest is")]
    [TestCase("-r.example/x", "host")]
    [TestCase("r.example-/x", "host")]
    [TestCase("r..example/x", "host")]
    [TestCase("r.example:/x", "host")]
    [TestCase("r.example:port/x", "host")]
    [TestCase("r.example:1:2/x", "host")]
    [TestCase("https://r.example/x", "host")]
    [TestCase("[]/x", "must consist of")]
    [TestCase("[::1/x", "host")]
    [TestCase("[fe80::1%eth0]:5000/x", "host")]
    [TestCase("a__b.c/d", "host")]
    [TestCase(Hex, "image ID")]
    [TestCase("sha256:" + Hex, "image ID")]
    public void Invalid_references_are_rejected_with_the_reason(string? text, string fault)
    {
        Assert.That(ImageReference.TryParse(text, out var reference, out var reason), Is.False);
        Assert.That(reference, Is.Null);
        Assert.That(reason, Does.Match(fault));
    }

    [Test]
    public void An_upper_case_digest_is_none() =>
        Assert.That(ImageReference.TryParse($"a@sha256:{Hex.ToUpperInvariant()}", out _), Is.False);

    [TestCase(255, true), TestCase(256, false)]
    public void A_path_has_at_most_255_characters(int length, bool isValid) =>
        Assert.That(ImageReference.TryParse($"r.example/{new string('a', length)}", out _), Is.EqualTo(isValid));

    [TestCase(247, true), TestCase(248, false)]
    public void The_namespace_of_official_images_counts(int length, bool isValid) =>
        Assert.That(ImageReference.TryParse(new string('a', length), out _), Is.EqualTo(isValid));

    [TestCase(128, true), TestCase(129, false)]
    public void A_tag_has_at_most_128_characters(int length, bool isValid) =>
        Assert.That(ImageReference.TryParse($"a:{new string('b', length)}", out _), Is.EqualTo(isValid));

    [TestCase("sha256", 64), TestCase("sha384", 96), TestCase("sha512", 128)]
    public void Every_known_algorithm_has_its_length(string algorithm, int length) =>
        Assert.That(
            (
                ImageReference.TryParse($"a@{algorithm}:{new string('f', length)}", out _),
                ImageReference.TryParse($"a@{algorithm}:{new string('f', length - 1)}", out _)
            ),
            Is.EqualTo((true, false))
        );

    [Test]
    public void An_endless_text_is_rejected() =>
        Assert.That(ImageReference.TryParse(new string('a', 10_000_000), out _, out var fault) ? "" : fault, Is.EqualTo("it is too long"));

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public Property A_normalised_reference_is_printed_as_it_was_read() =>
        Prop.ForAll(ReferenceGenerator.Canonical.ToArbitrary(), text => ImageReference.Parse(text).ToString() == text);

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public Property A_printed_reference_parses_to_the_same_reference() =>
        Prop.ForAll(
            ReferenceGenerator.Familiar.ToArbitrary(),
            text => ImageReference.Parse(ImageReference.Parse(text).ToString()) == ImageReference.Parse(text)
        );

    [FsCheck.NUnit.Property(MaxTest = 5000)]
    public Property Near_misses_are_judged_like_the_grammar() =>
        Prop.ForAll(
            ReferenceGenerator.Nearly.ToArbitrary(),
            text =>
                (ImageReference.TryParse(text, out var reference, out var fault) ? reference.ToString() : null)
                    == ReferenceOracle.Normalise(text)
                && reference is null == fault is not null
        );

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool No_text_throws(string? text) =>
        !ImageReference.TryParse(text, out var reference) || ImageReference.Parse(reference.ToString()) == reference;
}
