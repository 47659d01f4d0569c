using ProxySwapper.Configuration;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Population;

/// <summary>A gated Pod never gets the image that another source brought to the name of its own.</summary>
[TestFixture]
internal sealed class SharedTargetGateTests : GateFixture
{
    private string Target => TargetOf("app");

    [Test]
    public async Task A_pod_whose_target_another_source_has_gets_its_original_back()
    {
        await using var evil = await InMemoryRegistry.StartAsync();
        TestImage.Create(72, 2, 1000).AddTo(evil, "team/app", "1");
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { MatchRegex = "[^/]+/(t[a-z]am/.*)", Replace = $"{Downstream.Address}/mirror/$1" }],
                Populate = new() { Policy = PopulatePolicy.Gate },
            },
            cluster: Server
        );
        foreach (
            var (name, image) in new[] { ("first", $"{evil.Address}/team/app:1"), ("second", SourceOf("app")), ("third", SourceOf("app")) }
        )
        {
            await PostAsync(GatedPodSamples.Create("team", name, (image, Target)));
            await ReleasedAsync(name);
        }
        Assert.That(new[] { "first", "second", "third" }.Select(ImageOf), Is.EqualTo(new[] { Target, SourceOf("app"), SourceOf("app") }));
        // What was seen of a target says nothing of its source.
        Assert.That(scene.Get<DownstreamLookup>().IsKnown(ImageReference.Parse(Target)), Is.True);
        Assert.That((await scene.ReviewAsync(Review())).SchedulingGate, Is.Not.Null);
        Assert.That(
            (string?)Pod("second")["metadata"]!["annotations"]![GatedPodSamples.LeftOriginal],
            Does.Contain($"{Target} is a copy of {evil.Address}/team/app")
        );
    }

    private string Review() =>
        """
            {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",
            "request":{"uid":"u","kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"team","operation":"CREATE",
            "object":{"metadata":{"name":"app"},"spec":{"containers":[{"name":"main","image":"IMAGE"}]}}}}
            """.Replace("IMAGE", SourceOf("app"), StringComparison.Ordinal);
}
