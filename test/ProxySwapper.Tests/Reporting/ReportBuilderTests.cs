using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

[TestFixture]
internal sealed class ReportBuilderTests
{
    [Test]
    public void Several_pods_of_one_controller_are_one_workload()
    {
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions()), WebhookScope.Everything);
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
        var options = ConfigurationReader.ReadText("c.yaml", $"proxyUrl: r.example\n{configuration}", new Dictionary<string, string>());
        var builder = new ReportBuilder(RuleSet.Compile(options), WebhookScope.Everything);
        var workload = new Workload("Pod", "team", "web");
        var (image, target) = ("nginx:1", "r.example/library/nginx:1");
        builder.AddPod([new ImageUse(image, target, null, workload, PodTraits.None)]);
        builder.AddPod([
            new ImageUse("quay.io/a:1", "quay.io/a:1", null, workload, PodTraits.None),
            new ImageUse(image, target, null, workload, PodTraits.None),
        ]);
        builder.AddPod([new ImageUse("quay.io/a:1", "quay.io/a:1", null, workload, PodTraits.None)]);
        using var text = new StringWriter { NewLine = "\n" };
        TextReport.Write(text, ImageReport.Create(builder, []));
        var lines = text.ToString().Split('\n').Where(item => item.StartsWith("Admission policy", StringComparison.Ordinal));
        Assert.That(string.Join('\n', lines), Is.EqualTo(line));
    }

    [Test]
    public void What_could_not_be_checked_is_not_called_independent()
    {
        var builder = Build("nginx:1", "redis:1");
        Assert.That(SummaryOf(builder), Does.Contain("Whether 2 images can be had without another registry is not known."));
        foreach (var entry in builder.Entries)
            entry.Presence = entry.Name.Contains("nginx", StringComparison.Ordinal) ? Presence.Present : Presence.Unknown;
        Assert.That(SummaryOf(builder), Does.Contain("Whether 1 image can be had without another registry is not known."));
        foreach (var entry in builder.Entries)
            entry.Presence = Presence.Present;
        Assert.That(SummaryOf(builder), Does.Contain("No image depends on another registry."));
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
    private static ReportBuilder Build(params string[] images)
    {
        var options = new ProxySwapperOptions
        {
            Rules = [new RuleOptions { Match = RegistryName.DockerHub, Target = "registry.example.com/hub" }],
        };
        var builder = new ReportBuilder(RuleSet.Compile(options), WebhookScope.Everything);
        foreach (var (number, image) in images.Index())
            builder.AddTemplate([new ImageUse(image, null, null, new Workload("Deployment", "team", $"web-{number}"), PodTraits.None)]);
        return builder;
    }

    private static IEnumerable<string> SummaryOf(ReportBuilder builder) => ReportWords.Summary(ImageReport.Create(builder, []));

    private static string[] LinesOf(ReportBuilder builder, params string[] problems)
    {
        using var text = new StringWriter { NewLine = "\n" };
        TextReport.Write(text, ImageReport.Create(builder, problems));
        return text.ToString().TrimEnd().Split('\n');
    }

    private static string FirstWords(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));
}
