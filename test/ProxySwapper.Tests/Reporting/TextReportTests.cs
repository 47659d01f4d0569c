using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

/// <summary>The table of a text report: what each image's rows say, in 120 columns.</summary>
[TestFixture]
internal sealed class TextReportTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Test]
    public void Rows_of_an_image_have_its_rule_target_digest_workloads_and_what_runs()
    {
        var builder = BuilderOf("rules: [{match: quay.io, target: r.example/quay}]");
        AddPods(builder, "quay.io/team/web:1", "r.example/quay/team/web:1", "Deployment", "web", 2);
        AddPods(builder, "quay.io/team/web:1", "quay.io/team/web:1", "Job", "import", 1);
        var entry = builder.Entries.Single();
        (entry.Presence, entry.IsSameDigest) = (Presence.Present, false);
        Assert.That(
            RowsOf(builder),
            Is.EqualTo([
                "differs    quay.io/team/web:1                                                    differs       2            1          2",
                "           rules[0] → r.example/quay/team/web:1",
                "           shop/Deployment/web, shop/Job/import",
            ])
        );
    }

    [TestCase(true, ExpectedResult = "same")]
    [TestCase(false, ExpectedResult = "differs")]
    [TestCase(null, ExpectedResult = "-")]
    public string The_digest_is_compared(bool? isSame)
    {
        var builder = BuilderOf("proxyUrl: r.example");
        AddPods(builder, "nginx:1", "nginx:1", "Job", "a", 1);
        (builder.Entries.Single().Presence, builder.Entries.Single().IsSameDigest) = (Presence.Present, isSame);
        return RowsOf(builder)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2];
    }

    [Test]
    public void An_image_that_no_rule_takes_has_the_reason()
    {
        var builder = BuilderOf("rules: [{match: quay.io, target: r.example/quay}]");
        AddPods(builder, "nginx:1", "nginx:1", "Job", "a", 3);
        Assert.That(
            RowsOf(builder),
            Is.EqualTo([
                "unswapped  docker.io/library/nginx:1                                             -             1            3          -",
                "           no rule matches",
                "           shop/Job/a",
            ])
        );
    }

    [Test]
    public void Workloads_that_do_not_fit_are_counted()
    {
        var builder = BuilderOf("proxyUrl: r.example");
        foreach (var number in Enumerable.Range(10, 40))
            AddPods(builder, "nginx:1", "nginx:1", "Deployment", $"service-{number}", 1);
        Assert.That(
            RowsOf(builder)[2],
            Is.EqualTo("           shop/Deployment/service-10, shop/Deployment/service-11, shop/Deployment/service-12 and 37 more")
        );
    }

    [Test]
    public void A_digest_is_shortened_to_12_digits_and_a_name_is_not_shortened()
    {
        var builder = BuilderOf("proxyUrl: r.example");
        AddPods(builder, $"team/web:1@sha256:{Hex}", $"r.example/team/web:1@sha256:{Hex}", "Job", "a", 1);
        var spaces = new string(' ', 29);
        Assert.That(
            RowsOf(builder)[..2],
            Is.EqualTo([
                $"swapped    docker.io/team/web:1@sha256:0123456789ab…{spaces}-             1            0          1",
                "           proxyUrl → r.example/team/web:1@sha256:0123456789ab…",
            ])
        );
    }

    [TestCase(69, 1)]
    [TestCase(70, 2)]
    [TestCase(109, 2)]
    [TestCase(110, 3)]
    [TestCase(250, 4)]
    public void A_long_name_takes_rows_of_its_own_and_is_not_cut(int length, int rowsOfImage)
    {
        var image = $"{"docker.io/team/".PadRight(length - 2, 'n')}:1";
        var builder = BuilderOf("proxyUrl: r.example");
        AddPods(builder, image, image, "Job", new string('j', 150), 1);
        var rows = RowsOf(builder);
        Assert.That(rows, Has.All.Length.LessThanOrEqualTo(120));
        var text = string.Concat(rows.Select(row => row.Length > 11 ? row[11..].TrimEnd() : ""));
        Assert.That(text, Does.StartWith(image));
        Assert.That(text, Does.Contain($"proxyUrl → r.example/{image["docker.io/".Length..]}shop/Job/{new string('j', 150)}"));
        Assert.That(rows[rowsOfImage - 1], Does.EndWith(" 1            1          0").And.Length.EqualTo(120));
        Assert.That(rows[rowsOfImage], Does.StartWith("           proxyUrl → "));
    }

    [Test]
    public void An_invalid_image_of_any_length_is_shortened()
    {
        var builder = BuilderOf("proxyUrl: r.example");
        var image = $"Bad\u001b{new string('x', 5000)}";
        AddPods(builder, image, image, "Job", "a", 1);
        var rows = RowsOf(builder);
        Assert.That(rows, Has.Length.EqualTo(4).And.All.Length.LessThanOrEqualTo(120));
        Assert.That(rows[0], Does.StartWith("unswapped  Bad xxx").And.EndsWith("x…"));
        Assert.That(rows[2], Is.EqualTo("           invalid image"));
    }

    private static ReportBuilder BuilderOf(string configuration) =>
        new(RuleSet.Compile(ConfigurationReader.ReadText("c.yaml", configuration, EnvironmentVariables.None)), ReportCluster.ChartDefaults);

    private static void AddPods(ReportBuilder builder, string image, string running, string kind, string name, int count)
    {
        for (var pod = 0; pod < count; pod++)
            builder.AddPod([new ImageUse(image, running, null, new Workload(kind, "shop", name), PodTraits.None)]);
    }

    /// <summary>The rows of the table, without its headings and the summary above.</summary>
    private static string[] RowsOf(ReportBuilder builder)
    {
        using var text = new StringWriter { NewLine = "\n" };
        TextReport.Write(text, ImageReport.Create(builder, new ReportProblems()));
        return [.. text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).SkipWhile(IsNotHeading).Skip(3)];
    }

    private static bool IsNotHeading(string line) => !line.StartsWith("STATE ", StringComparison.Ordinal);
}
