using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

[TestFixture]
internal sealed class ReportBuilderTests
{
    [Test]
    public void Several_pods_of_one_controller_are_one_workload()
    {
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions()), ReportCluster.ChartDefaults);
        var workload = new Workload("ReplicaSet", "team", "web") { PullSecrets = ["a"] };
        for (var pod = 0; pod < 3; pod++)
            builder.AddPod([new ImageUse("sidecar:1", "sidecar:1", $"node-{pod}", workload, PodTraits.None)]);
        var entry = builder.Entries.Single();
        Assert.That((entry.Workloads.Count, entry.RunningOriginal, entry.Nodes), Is.EqualTo((1, 3, 3)));
    }

    [TestCase("admissionPolicy: {name: swap}", "Admission policy swap: 2 of 3 Pods have rewritten images.")]
    [TestCase("populate: {policy: none}", "")]
    public void Pods_that_the_policy_rewrote_are_counted(string configuration, string line)
    {
        var options = ConfigurationReader.ReadText("c.yaml", $"proxyUrl: r.example\n{configuration}", EnvironmentVariables.None);
        var builder = new ReportBuilder(RuleSet.Compile(options), ReportCluster.ChartDefaults);
        var workload = new Workload("Pod", "team", "web");
        var (image, target) = ("nginx:1", "r.example/library/nginx:1");
        builder.AddPod([new ImageUse(image, target, null, workload, PodTraits.None)]);
        builder.AddPod([
            new ImageUse("quay.io/a:1", "quay.io/a:1", null, workload, PodTraits.None),
            new ImageUse(image, target, null, workload, PodTraits.None),
        ]);
        builder.AddPod([new ImageUse("quay.io/a:1", "quay.io/a:1", null, workload, PodTraits.None)]);
        using var text = new StringWriter { NewLine = "\n" };
        TextReport.Write(text, ImageReport.Create(builder, new ReportProblems()));
        var lines = text.ToString().Split('\n').Where(item => item.StartsWith("Admission policy", StringComparison.Ordinal));
        Assert.That(string.Join('\n', lines), Is.EqualTo(line));
    }

    [TestCase("nginx:1", "busybox:1", Description = "kubectl set image after the swap")]
    [TestCase("nginx:1", "r.example/library/busybox:1", Description = "another image downstream")]
    [TestCase("nginx:1", "evil.example/x:1", Description = "a forged annotation")]
    public void Annotations_that_the_rules_do_not_explain_are_not_counted(string original, string running)
    {
        var builder = BuildWith("proxyUrl: r.example\nadmissionPolicy: {name: swap}");
        builder.AddPod([new ImageUse(original, running, null, new Workload("Pod", "team", "web"), PodTraits.None)]);
        Assert.That((builder.Pods, builder.RewrittenPods), Is.EqualTo((1, 0)));
    }

    [Test]
    public void What_could_not_be_checked_is_not_called_independent()
    {
        var builder = Build("nginx:1", "redis:1", "registry.example.com/hub/library/own:1");
        string[] open =
        [
            "Without docker.io, it is not known whether 2 images of 2 workloads could restart.",
            "A cold start pulls 0 to 2 times from docker.io.",
            "Whether 1 image can be pulled without another registry is not known.",
        ];
        Assert.That(SummaryOf(builder), Is.SupersetOf(open).And.None.Contains("No image depends"));
        foreach (var entry in builder.Entries)
            entry.Presence = entry.Name.Contains("nginx", StringComparison.Ordinal) ? Presence.Present : Presence.Unknown;
        open[0] = "Without docker.io, it is not known whether 1 image of 1 workload could restart.";
        open[1] = "A cold start pulls 0 to 1 times from docker.io.";
        Assert.That(SummaryOf(builder), Is.SupersetOf(open).And.None.Contains("No image depends"));
        foreach (var entry in builder.Entries)
            entry.Presence = Presence.Present;
        Assert.That(SummaryOf(builder), Does.Contain("No image depends on another registry."));
    }

    [TestCase("rules: [{match: docker.io, target: cache.example.com/hub, populate: false}]", Description = "fetches images itself")]
    [TestCase(
        "rules: [{match: docker.io, target: cache.example.com/hub}]\n"
            + "populate: {proxyCaches: [{regexURL: '^cache\\.example\\.com/(.+):([^:]+)$', "
            + "replacementOCI: 'https://cache.example.com/v2/$1/manifests/$2'}]}",
        Description = "is warmed"
    )]
    public void What_a_cache_responds_for_does_not_survive_its_upstream(string configuration)
    {
        var builder = BuildWith(configuration, "nginx:1", "redis:1", "cache.example.com/hub/library/own:1");
        foreach (var entry in builder.Entries)
            entry.Presence = entry.Name.Contains("redis", StringComparison.Ordinal) ? Presence.Missing : Presence.Present;
        Assert.That(
            builder.Entries.Select(entry => entry.State),
            Is.EqualTo([ImageState.OnDemand, ImageState.Missing, ImageState.OnDemand])
        );
        Assert.That(
            SummaryOf(builder),
            Is.EqualTo([
                "3 images in 3 workloads and 0 Pods: 0 downstream, 1 missing, 0 not swapped, 2 on demand.",
                "Without docker.io, 1 image of 1 workload could not restart; for 1 more it is not known.",
                "On demand (2 images): the target fetches missing images from its upstream, so a HEAD request does not show what it has.",
                "A cold start pulls 1 to 2 times from docker.io.",
                "Docker Hub documents 100 pulls in 6 hours without a login, 200 with a free account: 1 to 2 are within both.",
                "Whether 1 image can be pulled without another registry is not known.",
            ])
        );
    }

    [Test]
    public void An_image_that_names_a_filled_path_is_downstream_only_if_it_is_there()
    {
        const string Path = "1.dkr.ecr.eu-west-1.amazonaws.com/cache/quay.io/team/app:1";
        var builder = BuildWith("populate: {proxyCaches: [{patternEcrProxyCache: '^([^/]+)/(cache)/([^/]+)/(.+):([^:]+)$'}]}", Path);
        var entry = builder.Entries.Single();
        entry.Presence = Presence.Present;
        Assert.That((entry.State, entry.Origin?.Text, entry.Target?.ToString()), Is.EqualTo((ImageState.Downstream, "quay.io", Path)));
        Assert.That(ReportMessages.ReasonOf(entry), Is.EqualTo("filled by populate.proxyCaches"));
        entry.Presence = Presence.Missing;
        Assert.That(SummaryOf(builder), Does.Contain("Without quay.io, 1 image of 1 workload could not restart."));
    }

    [Test]
    public void A_registry_that_is_a_target_too_is_not_left_out()
    {
        var builder = BuildWith(
            "rules: [{match: quay.io, target: docker.io/acme}]",
            "quay.io/team/app:1",
            "quay.io/team/lost:1",
            "nginx:1",
            "docker.io/acme/team/gone:1"
        );
        foreach (var entry in builder.Entries)
            entry.Presence = entry.Name.Contains("app", StringComparison.Ordinal) ? Presence.Present : Presence.Missing;
        Assert.That(
            SummaryOf(builder),
            Is.EqualTo([
                "4 images in 4 workloads and 0 Pods: 1 downstream, 2 missing, 1 not swapped.",
                "Still from docker.io: 1 image (1 no rule matches).",
                "Without quay.io, 1 image of 1 workload could not restart.",
                "Without docker.io, 4 images of 4 workloads could not restart.",
                "1 image that names its target is missing there and could not start again.",
                "A cold start pulls 1 time from quay.io.",
                "A cold start pulls 4 times from docker.io.",
                "Docker Hub documents 100 pulls in 6 hours without a login, 200 with a free account: 4 are within both.",
            ])
        );
    }

    [TestCase(1, 1, "1 is within both.")]
    [TestCase(100, 100, "100 are within both.")]
    [TestCase(80, 101, "80 to 101 exceed the first.")]
    [TestCase(201, 201, "201 exceed both.")]
    public void A_cold_start_is_compared_with_the_documented_limit(int least, int most, string verdict) =>
        Assert.That(
            new PullLimit(null).Compare(least, most),
            Is.EqualTo($"Docker Hub documents 100 pulls in 6 hours without a login, 200 with a free account: {verdict}")
        );

    [TestCase(76, 100, 21600, 76, "76 of 100 pulls in 6 hours are left for this machine: 76 are within them.")]
    [TestCase(76, 100, 21600, 77, "76 of 100 pulls in 6 hours are left for this machine: 77 exceed them.")]
    [TestCase(5, null, null, 6, "5 pulls are left for this machine: 6 exceed them.")]
    [TestCase(0, 1, 3600, 1, "0 of 1 pull in 1 hour are left for this machine: 1 exceeds them.")]
    [TestCase(1, null, null, 1, "1 pull is left for this machine: 1 is within it.")]
    public void A_cold_start_is_compared_with_what_docker_hub_reported(int remaining, int? limit, int? window, int pulls, string verdict)
    {
        TimeSpan? length = window is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        var response = new RateLimitStatus(remaining, limit, length, DateTimeOffset.UnixEpoch);
        Assert.That(new PullLimit(response).Compare(pulls, pulls), Is.EqualTo($"Docker Hub reports that {verdict}"));
    }

    [Test]
    public void An_incomplete_report_says_so_first_of_all_in_its_summary()
    {
        var problems = new ReportProblems();
        problems.AddUnseen("rollouts of example.com/v1 cannot be read");
        var builder = Build("registry.example.com/hub/library/nginx:1");
        builder.Entries.Single().Presence = Presence.Present;
        Assert.That(
            ReportMessages.Summary(ImageReport.Create(builder, problems)).Skip(1),
            Is.EqualTo([
                "No image that could be read depends on another registry.",
                "There may be more images: not everything could be read.",
            ])
        );
    }

    [Test]
    public void The_table_begins_with_what_matters_most()
    {
        var builder = Build("here:1", "lost:1", "lost:2", "lost:2", "elsewhere:1", "moved:1", "unsure:1", "quay.io/team/own:1");
        foreach (var entry in builder.Entries)
        {
            entry.Presence =
                entry.Name.Contains("lost", StringComparison.Ordinal) ? Presence.Missing
                : entry.Name.Contains("unsure", StringComparison.Ordinal) ? Presence.Unknown
                : Presence.Present;
            entry.IsSameDigest = !entry.Name.Contains("moved", StringComparison.Ordinal);
        }
        Assert.That(
            LinesOf(builder)
                .SkipWhile(line => !line.StartsWith("STATE", StringComparison.Ordinal))
                .Skip(3)
                .Where(line => !line.StartsWith(' '))
                .Select(FirstWords),
            Is.EqualTo([
                "missing docker.io/library/lost:2",
                "missing docker.io/library/lost:1",
                "unknown docker.io/library/unsure:1",
                "differs docker.io/library/moved:1",
                "unswapped quay.io/team/own:1",
                "downstream docker.io/library/elsewhere:1",
                "downstream docker.io/library/here:1",
            ]),
            "by state, then by users, then by name"
        );
    }

    [Test]
    public void A_terminal_gets_no_control_characters()
    {
        var builder = Build("\u001b[2Jcleared", "a\nb\u202e:1");
        var text = string.Join('\n', LinesOf(builder, "from \u001b]0;a server\u0007"));
        Assert.That(text.Where(character => char.IsControl(character) && character != '\n' || character == '\u202e'), Is.Empty);
        Assert.That(text, Does.Contain("[2Jcleared").And.Contain("Unknown: from"));
    }

    /// <summary>A report with one workload per image.</summary>
    private static ReportBuilder Build(params string[] images) =>
        BuildWith("rules: [{match: docker.io, target: registry.example.com/hub}]", images);

    private static ReportBuilder BuildWith(string configuration, params string[] images)
    {
        var options = ConfigurationReader.ReadText("c.yaml", configuration, EnvironmentVariables.None);
        var builder = new ReportBuilder(RuleSet.Compile(options), ReportCluster.ChartDefaults);
        foreach (var (number, image) in images.Index())
            builder.AddTemplate([new ImageUse(image, null, null, new Workload("Deployment", "team", $"web-{number}"), PodTraits.None)]);
        return builder;
    }

    private static IEnumerable<string> SummaryOf(ReportBuilder builder) =>
        ReportMessages.Summary(ImageReport.Create(builder, new ReportProblems()));

    private static string[] LinesOf(ReportBuilder builder, params string[] problems)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var unknown = new ReportProblems();
        foreach (var problem in problems)
            unknown.Add(problem);
        TextReport.Write(text, ImageReport.Create(builder, unknown));
        return text.ToString().TrimEnd().Split('\n');
    }

    private static string FirstWords(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));
}
