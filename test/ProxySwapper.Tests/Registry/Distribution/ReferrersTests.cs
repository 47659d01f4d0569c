using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Distribution;

[TestFixture]
internal sealed class ReferrersTests
{
    private static readonly Digest Subject = Digest.OfBytes("subject"u8);

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_refers_to_an_image_is_listed_with_and_without_the_API(bool api)
    {
        await using var scene = await RegistryScene.StartAsync(new InMemoryRegistryOptions { ReferrersApi = api });
        Assert.That(await scene.Client.ListReferrersAsync("a", Subject, default), Is.Empty);
        var signatures = Enumerable.Range(0, 8).Select(number => Signature(number)).ToList();
        await Task.WhenAll(
            signatures.Select(signature => scene.Client.PutManifestAsync("a", signature.Digest.ToString(), signature, default))
        );
        await scene.Client.PutManifestAsync("a", signatures[0].Digest.ToString(), signatures[0], default);
        var found = await scene.Client.ListReferrersAsync("a", Subject, default);
        Assert.That(found.Select(referrer => referrer.Digest), Is.EquivalentTo(signatures.Select(signature => signature.Digest)));
        Assert.That(found.Select(referrer => referrer.ArtifactType), Is.All.EqualTo("application/example.signature"));
        Assert.That(
            found.Select(referrer => referrer.Annotations["number"]),
            Is.EquivalentTo(Enumerable.Range(0, 8).Select(number => $"{number}"))
        );
        Assert.That(scene.Registry.Repository("a").Tags.Keys, api ? Is.Empty : Is.EqualTo(new[] { $"sha256-{Subject.Hex}" }));
    }

    [Test]
    public async Task The_tag_is_found_where_the_response_to_every_HEAD_is_404()
    {
        await using var scene = await RegistryScene.StartAsync(new InMemoryRegistryOptions { ReferrersApi = false });
        var signature = Signature(1);
        await scene.Client.PutManifestAsync("a", signature.Digest.ToString(), signature, default);
        scene.Faulty.Always(HttpMethod.Head, Kind.Manifest, RegistryFaults.Status(404));
        var found = await scene.Client.ListReferrersAsync("a", Subject, default);
        Assert.That(found.Select(referrer => referrer.Digest), Is.EqualTo(new[] { signature.Digest }));
    }

    [Test]
    public async Task A_list_that_is_large_without_being_long_is_rejected()
    {
        await using var scene = await RegistryScene.StartAsync();
        var page = 0;
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Referrers,
            async (context, _) =>
            {
                context.Response.ContentType = MediaTypes.OciIndex;
                context.Response.Headers.Link = $"</v2/a/referrers/{Subject}?page={++page}>; rel=\"next\"";
                var big = new string('a', 3_000_000);
                var entry =
                    $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{Subject}}}","size":1,"annotations":{"a":"{{{big}}}"}}""";
                await context.Response.Body.WriteAsync(
                    Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{entry}}]}""")
                );
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(async () => await scene.Client.ListReferrersAsync("a", Subject, default))!;
        Assert.That((fault.IsLimitExceeded, page), Is.EqualTo((true, 12)));
        Assert.That(fault.Message, Does.Contain("its list of referrers has more than 33554432 bytes"));
    }

    [TestCase(404, "NAME_UNKNOWN", "not found (HTTP 404): NAME_UNKNOWN: why")]
    [TestCase(400, "DENIED", "bad request (HTTP 400): DENIED: why")]
    public async Task A_later_page_that_is_missing_is_an_error_with_the_registrys_text(int status, string code, string expected)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Get, Kind.Referrers, FirstPage);
        scene.Faulty.Next(HttpMethod.Get, Kind.Referrers, RegistryFaults.Status(status, code, "why"));
        Assert.That(
            async () => await scene.Client.ListReferrersAsync("a", Subject, default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.EqualTo($"GET {scene.Registry.Address}/a@{Subject} (list of referrers): {expected}")
        );
    }

    [Test]
    public async Task A_later_page_that_is_cut_off_is_an_error_with_its_status()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Next(HttpMethod.Get, Kind.Referrers, FirstPage);
        scene.Faulty.Next(HttpMethod.Get, Kind.Referrers, RegistryFaults.Content(MediaTypes.OciIndex, """{"manifests":["""));
        Assert.That(
            async () => await scene.Client.ListReferrersAsync("a", Subject, default),
            Throws.InstanceOf<RegistryException>().With.Message.Contain(" (list of referrers): HTTP 200: invalid list of referrers")
        );
    }

    [Test]
    public async Task A_list_that_is_missing_where_others_are_is_an_error_with_the_registrys_text()
    {
        await using var scene = await RegistryScene.StartAsync();
        await scene.Client.ListReferrersAsync("a", Subject, default);
        scene.Faulty.Next(HttpMethod.Get, Kind.Referrers, RegistryFaults.Status(404, "NAME_UNKNOWN", "why"));
        Assert.That(
            async () => await scene.Client.ListReferrersAsync("a", Subject, default),
            Throws
                .InstanceOf<RegistryException>()
                .With.Message.EndsWith("NAME_UNKNOWN: why: it listed the referrers of another manifest before")
        );
    }

    /// <summary>Referrers tag schema of the distribution-spec: 64 characters of the digest; a tag has at most 128.</summary>
    [Test]
    public async Task The_tag_of_a_longer_digest_is_shortened()
    {
        await using var scene = await RegistryScene.StartAsync(new InMemoryRegistryOptions { ReferrersApi = false });
        var subject = Digest.Parse($"sha512:{new string('a', 64)}{new string('b', 64)}");
        var signature = Signature(1, subject);
        await scene.Client.PutManifestAsync("a", signature.Digest.ToString(), signature, default);
        Assert.That(scene.Registry.Repository("a").Tags.Keys, Is.EqualTo(new[] { $"sha512-{new string('a', 64)}" }));
        var found = await scene.Client.ListReferrersAsync("a", subject, default);
        Assert.That(found.Select(referrer => referrer.Digest), Is.EqualTo(new[] { signature.Digest }));
    }

    [Test]
    public void The_tag_keeps_what_others_wrote()
    {
        var old = Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":"""
                + $$$"""[{"mediaType":"x/y","digest":"{{{Subject}}}","size":1,"unknown":{"a":1}}],"annotations":{"by":"others"}}"""
        );
        var signature = ManifestReferences.Read(Signature(1)).Referrer;
        var index = ReferrersTag.With(new Manifest(MediaTypes.OciIndex, Digest.OfBytes(old), old), [signature])!;
        Assert.That(
            Encoding.UTF8.GetString(index.Bytes.Span),
            Does.Contain("\"unknown\":{\"a\":1}").And.Contain("\"by\":\"others\"").And.Contain(signature.Digest.ToString())
        );
        Assert.That(ReferrersTag.With(index, [signature]), Is.Null);
    }

    [Test]
    public async Task Tags_that_are_null_are_none()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            async (context, _) => await context.Response.Body.WriteAsync("""{"name":"a","tags":null}"""u8.ToArray())
        );
        Assert.That(await scene.Client.ListTagsAsync("a", default).ToListAsync(), Is.Empty);
    }

    [Test]
    public async Task A_list_that_does_not_end_is_ended()
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            async (context, _) =>
            {
                context.Response.Headers.Link = "</v2/a/tags/list?n=1000>; rel=\"next\"";
                await context.Response.Body.WriteAsync("""{"tags":["x"]}"""u8.ToArray());
            }
        );
        Assert.That(
            async () => await scene.Client.ListTagsAsync("a", default).ToListAsync(),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("the list would not end")
        );
    }

    private static RegistryFault FirstPage { get; } =
        async (context, registry) =>
        {
            context.Response.Headers.Link = $"</v2/a/referrers/{Subject}?page=2>; rel=\"next\"";
            await registry(context);
        };

    private static Manifest Signature(int number, Digest? subject = null)
    {
        var bytes = Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/example.signature","""
                + $$$""" "layers":[],"annotations":{"number":"{{{number}}}"},"""
                + $$$""" "subject":{"mediaType":"{{{MediaTypes.OciIndex}}}","digest":"{{{subject ?? Subject}}}","size":7}}"""
        );
        return new Manifest(MediaTypes.OciManifest, Digest.OfBytes(bytes), bytes);
    }
}
