using ProxySwapper.Backfilling;
using ProxySwapper.Configuration;
using ProxySwapper.Mirroring;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Tests.Reporting;

namespace ProxySwapper.Tests.Backfilling;

/// <summary>Which images of a report are copied, and which are named because nothing copies them.</summary>
[TestFixture]
internal sealed class BackfillPlanTests
{
    private const string Fills = "rules: [{match: docker.io, target: cache.example.com/hub, populate: false}]\n";
    private const string Warms =
        "populate: {proxyCaches: [{regexURL: '^cache\\.example\\.com/(.+):([^:]+)$', "
        + "replacementOCI: 'https://cache.example.com/v2/$1/manifests/$2'}]}";

    [Test]
    public void An_image_that_could_not_be_checked_and_that_nothing_copies_is_named()
    {
        var plan = PlanOf("proxyUrl: registry.example.com", Presence.Unknown, "registry.example.com/library/nginx:1");
        Assert.That(plan.Images, Is.Empty);
        var skipped = plan.Skipped.Single();
        Assert.That(
            (skipped.Image.Destination.Name, skipped.Tag, skipped.Outcome, skipped.Detail),
            Is.EqualTo(
                (
                    "registry.example.com/library/nginx",
                    "1",
                    MirrorOutcome.Skipped,
                    "not checked: no response; the image names the target itself, so that its source is not known"
                )
            )
        );
    }

    [TestCase(Presence.Missing, "missing; rules[0] has populate: false: its target fetches images itself")]
    [TestCase(Presence.Unknown, "not checked: no response; rules[0] has populate: false: its target fetches images itself")]
    public void A_target_that_fills_itself_and_has_no_image_is_named(Presence presence, string reason) =>
        Assert.That(PlanOf(Fills, presence, "nginx:1").Skipped.Select(skipped => skipped.Detail), Is.EqualTo([reason]));

    [Test]
    public void A_target_that_fills_itself_is_left_to_itself()
    {
        var plan = PlanOf(Fills, Presence.Present, "nginx:1");
        Assert.That((plan.Images.Count, plan.Skipped.Count), Is.EqualTo((0, 0)));
    }

    [TestCase(Presence.Present)]
    [TestCase(Presence.Missing)]
    [TestCase(Presence.Unknown)]
    public void A_cache_is_warmed_whatever_it_responds(Presence presence)
    {
        var plan = PlanOf(Fills + Warms, presence, "nginx:1", "cache.example.com/hub/library/nginx:1");
        Assert.That(plan.Skipped, Is.Empty);
        Assert.That(plan.Images.Single().Work, Is.InstanceOf<WarmUpWork>(), "one of two names of one image");
        Assert.That(plan.Images[0].Work.Key, Is.EqualTo("cache.example.com/hub/library/nginx:1"));
    }

    [Test]
    public void An_image_that_is_downstream_is_not_copied_again() =>
        Assert.That(PlanOf("proxyUrl: registry.example.com", Presence.Present, "nginx:1").Images, Is.Empty);

    [TestCase("docker.io", 1)]
    [TestCase("quay.io", 0)]
    [TestCase("cache.example.com", 0)]
    public void Only_what_may_not_start_without_a_registry_is_warmed(string registry, int count) =>
        Assert.That(PlanOf(Fills + Warms, Presence.Present, registry, ["nginx:1"]).Images, Has.Count.EqualTo(count));

    [Test]
    public void The_secrets_of_every_namespace_are_tried_however_many_workloads_another_has()
    {
        var builder = new ReportBuilder(RuleSet.Compile(new() { ProxyUrl = "registry.example.com" }), ReportCluster.ChartDefaults);
        for (var i = 0; i < 100; i++)
            Add("busy", $"web-{i}");
        for (var i = 0; i < 20; i++)
            Add($"team-{i}", "web");
        foreach (var entry in builder.Entries)
            entry.Presence = Presence.Missing;
        var image = BackfillPlan.Create(ImageReport.Create(builder, new ReportProblems()), null).Images.Single();
        Assert.That(image.Origins.Select(origin => origin.Namespace).Distinct().ToList(), Has.Count.EqualTo(21));
        Assert.That(image.Origins, Has.Count.LessThan(100));

        void Add(string @namespace, string name) =>
            builder.AddTemplate([
                new ImageUse("nginx:1", null, null, new Workload("Deployment", @namespace, name) { PullSecrets = [name] }, PodTraits.None),
            ]);
    }

    private static BackfillPlan PlanOf(string configuration, Presence presence, params string[] images) =>
        PlanOf(configuration, presence, null, images);

    private static BackfillPlan PlanOf(string configuration, Presence presence, string? registry, string[] images)
    {
        var options = ConfigurationReader.ReadText("config.yaml", configuration, EnvironmentVariables.None);
        var builder = new ReportBuilder(RuleSet.Compile(options), ReportCluster.ChartDefaults);
        foreach (var image in images)
            builder.AddTemplate([new ImageUse(image, null, null, new Workload("Deployment", "team", "web"), PodTraits.None)]);
        foreach (var entry in builder.Entries)
            (entry.Presence, entry.Problem) = (presence, presence == Presence.Unknown ? "no response" : null);
        RegistryName? only =
            registry is null ? null
            : RegistryName.TryParse(registry, out var parsed) ? parsed
            : null;
        return BackfillPlan.Create(ImageReport.Create(builder, new ReportProblems()), only);
    }
}
