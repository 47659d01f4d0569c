using ProxySwapper.Commands.Output;
using ProxySwapper.Mirroring;
using ProxySwapper.Tests.Mirroring;

namespace ProxySwapper.Tests.Commands.Output;

/// <summary>The final output of <c>mirror</c>: <c>testdata/mirror/table-*.txt</c>; <c>UPDATE_GOLDEN=1</c> updates them.</summary>
[TestFixture]
internal sealed class MirrorTableTests
{
    private static readonly MirrorFile File = MirrorFiles.Read(
        """
        images:
          nginx: {source: docker.io/library/nginx, destination: registry.example.com/hub/nginx}
          etcd: {source: quay.io/coreos/etcd, destination: registry.example.com/quay/etcd}
          tools: {source: registry.k8s.io/some/where/tools, destination: registry.example.com/k8s/tools}
        """
    );

    private static readonly MirrorResult[] Results =
    [
        Of(0, "1.27", MirrorOutcome.Copied, 123_456_789),
        Of(0, "1.28", MirrorOutcome.Copied, 7_000_000),
        Of(0, "1.26", MirrorOutcome.UpToDate),
        Of(1, "v3.5.0", MirrorOutcome.Failed),
        Of(1, "v3.5.1", MirrorOutcome.UpToDate),
        Of(2, null, MirrorOutcome.Skipped),
    ];

    [Test]
    public void A_run_ends_with_a_row_per_repository() => AssertGolden("table", new MirrorReport(Results, IsDryRun: false));

    [Test]
    public void A_stopped_run_reports_what_is_left_and_what_was_replaced() =>
        AssertGolden(
            "table-stopped",
            new MirrorReport([.. Results, Of(0, "latest", MirrorOutcome.Replaced, 5000), Of(2, "v1", MirrorOutcome.Left)], IsDryRun: false)
        );

    [Test]
    public void What_was_skipped_since_it_was_not_found_or_not_understood_is_counted_as_incomplete() =>
        AssertGolden(
            "table-incomplete",
            new MirrorReport([.. Results, Of(0, null, MirrorOutcome.Skipped) with { IsUnread = true }], IsDryRun: false)
        );

    [Test]
    public void A_dry_run_reports_what_would_happen() => AssertGolden("table-dry-run", new MirrorReport(Results, IsDryRun: true));

    [Test]
    public void A_single_repository_has_no_total_and_an_empty_run_no_table()
    {
        using var text = new StringWriter();
        MirrorTable.Write(text, new MirrorReport([], IsDryRun: false));
        Assert.That(text.ToString(), Is.Empty);
        MirrorTable.Write(text, new MirrorReport([Results[0]], IsDryRun: false));
        Assert.That(text.ToString().TrimEnd().Split('\n'), Has.Length.EqualTo(2));
    }

    [Test]
    public void Entries_of_one_source_are_distinguished()
    {
        var images = MirrorFiles
            .Read(
                """
                images:
                  nginx: {source: docker.io/library/nginx, destination: registry.example.com/hub/nginx}
                  nginx-elsewhere: {source: nginx, destination: other.example.com/nginx}
                  nginx-alpine: {source: nginx, destination: registry.example.com/hub/nginx, compatibility: alpine}
                  etcd: {source: quay.io/coreos/etcd, destination: registry.example.com/quay/etcd}
                """
            )
            .Images;
        using var text = new StringWriter { NewLine = "\n" };
        MirrorTable.Write(
            text,
            new MirrorReport([.. images.Select(image => new MirrorResult(image, "1", MirrorOutcome.Copied))], IsDryRun: false)
        );
        Assert.That(
            text.ToString().Split('\n').Skip(1).Take(4).Select(row => row.Split("  ")[0]),
            Is.EqualTo(
                new[]
                {
                    "docker.io/library/nginx -> registry.example.com/hub/nginx (nginx)",
                    "docker.io/library/nginx -> other.example.com/nginx",
                    "docker.io/library/nginx -> registry.example.com/hub/nginx (nginx-alpine)",
                    "quay.io/coreos/etcd",
                }
            )
        );
    }

    private static MirrorResult Of(int image, string? tag, MirrorOutcome outcome, long bytes = 0) =>
        new(File.Images[image], tag, outcome, Bytes: bytes);

    private static void AssertGolden(string name, MirrorReport report)
    {
        using var text = new StringWriter { NewLine = "\n" };
        MirrorTable.Write(text, report);
        GoldenFile.AssertMatches(text.ToString(), "test", "ProxySwapper.Tests", "testdata", "mirror", $"{name}.txt");
    }
}
