using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Responses of the referrers API that must not be taken for an empty list.</summary>
[TestFixture]
internal sealed class ReferrersApiTests : CopyFixture
{
    private readonly TestImage _image = TestImage.Create(1);

    [SetUp]
    public void AddImage() => _image.AddTo(Scene.Source.Registry, "team/app", "1");

    /// <summary>As lost connections, caches and proxies leave them. Registries without the API do not respond like this.</summary>
    [TestCase("application/vnd.oci.image.index.v1+json", """{"schemaVersion":2,"manifests":[{"medi""", "")]
    [TestCase("application/vnd.oci.image.index.v1+json", "", "")]
    [TestCase("application/vnd.oci.image.index.v1+json", "[]", "it is not an image index")]
    [TestCase("application/json", """{"schemaVersion":2}""", "it is not an image index")]
    [TestCase("application/json", """{"errors":[{"code":"UNKNOWN"}]}""", "it is not an image index")]
    [TestCase("application/json", """{"manifests":{}}""", "manifests must be a list")]
    public void A_list_of_referrers_that_is_not_understood_is_an_error(string contentType, string body, string reason)
    {
        AddSbom(_image.Top.Digest);
        RespondToReferrers(_image.Top.Digest, RegistryFaults.Content(contentType, body));
        Assert.That(
            () => Scene.CopyAsync(Scene.Request() with { Referrers = true }),
            Throws.TypeOf<RegistryException>().With.Message.Contains($"invalid list of referrers: {reason}")
        );
        Assert.That(Scene.Target.Registry.Repository("mirror/app").Tags, Is.Empty);
    }

    [Test]
    public async Task A_registry_that_responds_to_any_path_with_a_web_page_has_no_referrers_API()
    {
        RespondToReferrers(_image.Top.Digest, RegistryFaults.WebPage);
        Assert.That((await Scene.CopyAsync(Scene.Request() with { Referrers = true })).Outcome, Is.EqualTo(CopyOutcome.Copied));
    }

    /// <summary>Quay responds so for a digest that it does not have, such as that of an index that is only at the target.</summary>
    [TestCase(400)]
    [TestCase(404)]
    public async Task Only_referrers_of_what_the_source_has_are_requested(int status)
    {
        var image = TestImage.Create(5, platforms: ["amd64", "arm64"]);
        image.AddTo(Scene.Source.Registry, "team/app", "2");
        Scene.Source.Always(
            (request, _) =>
                request.Path.Value!.Contains("/referrers/", StringComparison.Ordinal)
                && !Scene
                    .Source.Registry.Repository("team/app")
                    .Manifests.Keys.Any(digest => request.Path.Value.EndsWith(digest.ToString(), StringComparison.Ordinal)),
            RegistryFaults.Status(status, "MANIFEST_UNKNOWN", "no")
        );
        var request = Scene.Request("team/app:2", "mirror/app:2") with
        {
            Platforms = [new Platform("linux", "amd64", null)],
            Referrers = true,
        };
        Assert.That((await Scene.Copier.PlanAsync(request, CancellationToken.None)).IsUpToDate, Is.False);
        Assert.That((await Scene.CopyAsync(request)).Outcome, Is.EqualTo(CopyOutcome.Copied));
    }

    [TestCase(404)]
    [TestCase(405)]
    [TestCase(200)]
    public void A_registry_that_has_listed_referrers_does_not_lose_the_API(int status)
    {
        AddSbom(AddSbom(_image.Top.Digest));
        var fault = status == 200 ? RegistryFaults.WebPage : RegistryFaults.Status(status, "NO", "no");
        Scene.Source.Always(
            (request, _) =>
                request.Path.Value!.Contains("/referrers/", StringComparison.Ordinal)
                && !request.Path.Value.EndsWith(_image.Top.Digest.ToString(), StringComparison.Ordinal),
            fault
        );
        Assert.ThrowsAsync<RegistryException>(() => Scene.CopyAsync(Scene.Request() with { Referrers = true }));
        Assert.That(Scene.Target.Registry.Repository("mirror/app").Tags, Is.Empty);
    }

    private void RespondToReferrers(Digest subject, RegistryFault fault) =>
        Scene.Source.Always((request, _) => request.Path.Value!.EndsWith($"/referrers/{subject}", StringComparison.Ordinal), fault);

    private Digest AddSbom(Digest subject) => TestReferrers.AddSbom(Scene.Source.Registry, "team/app", subject).Digest;
}
