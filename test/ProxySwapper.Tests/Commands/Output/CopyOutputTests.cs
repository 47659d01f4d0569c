using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Commands.Output;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Tests.Commands.Output;

/// <summary>The progress output of <c>copy</c>: <c>testdata/copy</c>; <c>UPDATE_GOLDEN=1</c> updates it.</summary>
[TestFixture]
internal sealed class CopyOutputTests
{
    private const long MiB = 1 << 20;

    private readonly FakeTimeProvider _time = new();

    [Test]
    public void A_log_gets_a_line_per_blob_and_the_total_at_intervals()
    {
        using var text = new StringWriter { NewLine = "\n" };
        var blobs = new[] { Blob('a', 100 * MiB), Blob('b', 50 * MiB), Blob('c', MiB), Blob('d', 2 * MiB), Blob('e', 700) };
        using (var lines = new CopyLines(text, _time))
        {
            foreach (var blob in blobs)
                lines.Report(new CopyProgress(blob, CopyStep.Planned, 0));
            _time.Advance(TimeSpan.FromSeconds(10));
            lines.Report(new CopyProgress(blobs[2], CopyStep.Present, 0));
            lines.Report(new CopyProgress(blobs[3], CopyStep.Mounted, 0));
            lines.Report(new CopyProgress(blobs[0], CopyStep.Transferring, 0));
            foreach (var second in Enumerable.Range(1, 15))
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                lines.Report(new CopyProgress(blobs[0], CopyStep.Transferring, second * 6 * MiB));
            }
            // A restarted blob counts once.
            lines.Report(new CopyProgress(blobs[0], CopyStep.Transferring, 10 * MiB));
            _time.Advance(TimeSpan.FromSeconds(5));
            lines.Report(new CopyProgress(blobs[0], CopyStep.Copied, 100 * MiB));
            lines.Report(new CopyProgress(blobs[4], CopyStep.Copied, 700));
            lines.Report(new CopyProgress(blobs[1], CopyStep.Transferring, MiB));
            _time.Advance(TimeSpan.FromSeconds(10));
            lines.Report(new CopyProgress(blobs[1], CopyStep.Copied, 50 * MiB));
        }
        _time.Advance(TimeSpan.FromMinutes(1));
        GoldenFile.AssertMatches(text.ToString(), "test", "ProxySwapper.Tests", "testdata", "copy", "lines.txt");
    }

    [Test]
    public void The_total_only_counts_bytes_to_transfer()
    {
        var total = new TransferTotal(_time);
        Assert.That(total.Describe(), Is.Null);
        total.Add(new CopyProgress(Blob('a', 100), CopyStep.Planned, 0));
        total.Add(new CopyProgress(Blob('a', 100), CopyStep.Present, 0));
        Assert.That((total.Done, total.Size, total.Describe()), Is.EqualTo((0L, 0L, (string?)null)));
        total.Add(new CopyProgress(Blob('b', 1000), CopyStep.Transferring, 0));
        Assert.That(total.Describe(), Is.EqualTo("0 B of 1000 B (0%)"));
        _time.Advance(TimeSpan.FromSeconds(2));
        total.Add(new CopyProgress(Blob('b', 1000), CopyStep.Transferring, 200));
        Assert.That(total.Describe(), Is.EqualTo("200 B of 1000 B (20%), 100 B/s, 8 s left"));
    }

    [TestCase(0, "0 s")]
    [TestCase(-1, "0 s")]
    [TestCase(0.4, "0.4 s")]
    [TestCase(9.96, "10 s")]
    [TestCase(59.7, "1 min")]
    [TestCase(200, "3 min 20 s")]
    [TestCase(3905, "1 h 5 min")]
    [TestCase(100_000, "27 h 46 min")]
    public void Durations_are_readable(double seconds, string text) =>
        Assert.That(DurationFormat.Format(TimeSpan.FromSeconds(seconds)), Is.EqualTo(text));

    [Test]
    public void The_summary_has_amount_and_rate()
    {
        var request = new CopyRequest(
            ImageReference.Parse("docker.io/library/nginx:1"),
            ImageReference.Parse("registry.example.com/nginx:1")
        );
        var digest = Blob('f', 1).Digest;
        var result = new CopyResult(CopyOutcome.Copied, digest, digest)
        {
            BlobsCopied = 3,
            BlobsPresent = 1,
            BytesCopied = 150 * MiB,
        };
        Assert.That(
            CopyOutput.Describe(request, result, TimeSpan.FromSeconds(75)),
            Is.EqualTo(
                "docker.io/library/nginx:1 -> registry.example.com/nginx:1: 3 blobs copied, 0 mounted, 1 already present; "
                    + "150 MiB copied in 1 min 15 s (2 MiB/s)"
            )
        );
        Assert.That(CopyOutput.Describe(request, result with { BlobsCopied = 1 }, TimeSpan.Zero), Does.Contain(": 1 blob copied, "));
        Assert.That(
            CopyOutput.Describe(request, result with { Outcome = CopyOutcome.UpToDate }, TimeSpan.Zero),
            Is.EqualTo("registry.example.com/nginx:1 is up to date")
        );
    }

    private static Descriptor Blob(char digit, long size) =>
        new("application/vnd.oci.image.layer.v1.tar+gzip", Digest.Parse("sha256:" + new string(digit, 64)), size);
}
