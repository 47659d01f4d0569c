using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Signatures and SBOMs come along when they are asked for.</summary>
[TestFixture]
internal sealed class ReferrerCopyTests
{
    private readonly TestImage _image = TestImage.Create(1);
    private CopyScene _scene = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _scene = await CopyScene.StartAsync();
        _image.AddTo(_scene.Source.Registry, "team/app", "1");
    }

    [TearDown]
    public async Task StopAsync()
    {
        CopyScene.AssertWhole(_scene.Target.Registry);
        await _scene.DisposeAsync();
    }

    [Test]
    public async Task Referrers_and_cosign_tags_come_along()
    {
        var signature = TestImage.Create(2);
        signature.AddTo(_scene.Source.Registry, "team/app", $"sha256-{_image.Top.Digest.Hex}.sig");
        var sbom = AddSbom(_image.Top.Digest);
        await _scene.CopyAsync(_scene.Request() with { Referrers = true });
        var target = _scene.Target.Registry.Repositories["mirror/app"];
        Assert.That(target.Manifests.Keys, Is.EquivalentTo(new[] { _image.Top.Digest, signature.Top.Digest, sbom }));
        Assert.That(target.Tags[$"sha256-{_image.Top.Digest.Hex}.sig"], Is.EqualTo(signature.Top.Digest));
    }

    [Test]
    public async Task Referrers_of_an_image_with_a_longer_digest_come_along()
    {
        var digest = Digest.OfHash(HashAlgorithmName.SHA512, SHA512.HashData(_image.Top.Bytes.Span));
        _scene.Source.Registry.Repository("team/app").Manifests[digest] = _image.Top with { Digest = digest };
        var sbom = AddSbom(digest);
        await _scene.CopyAsync(_scene.Request($"team/app@{digest}", $"mirror/app@{digest}") with { Referrers = true });
        Assert.That(_scene.Target.Registry.Repositories["mirror/app"].Manifests.Keys, Is.EquivalentTo(new[] { digest, sbom }));
    }

    private Digest AddSbom(Digest subject)
    {
        var config = _scene.Source.Registry.AddBlob("team/app", "{}"u8.ToArray());
        var sbom = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","artifactType":"application/spdx+json","layers":[],"""
                + $$""" "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{config.Digest}}","size":2},"""
                + $$""" "subject":{"mediaType":"{{_image.Top.MediaType}}","digest":"{{subject}}","size":{{_image.Top.Bytes.Length}} } }"""
        );
        return _scene.Source.Registry.AddManifest("team/app", MediaTypes.OciManifest, sbom).Digest;
    }
}
