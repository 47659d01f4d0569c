using System.Globalization;
using System.Text;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Reporting;

/// <summary>
/// A report for a terminal: the summary, then a table that fits 120 columns, most important first. Each image has a row of its own, one
/// for its rule and target, and one for its workloads. Only digests are shortened, visibly; what is too long continues in the next row.
/// </summary>
internal static class TextReport
{
    private const int Columns = 120;
    private const int StateWidth = 11;
    private const int TextWidth = Columns - StateWidth;

    /// <summary>As many as Docker and Git show: enough to distinguish the images of a cluster.</summary>
    private const int DigestLength = 12;

    public static void Write(TextWriter output, ImageReport report)
    {
        foreach (var line in ReportMessages.Summary(report))
            output.WriteLine(line);
        foreach (var problem in report.Problems)
            output.WriteLine($"Unknown: {PlainText.Of(problem)}");
        foreach (var assumption in report.Assumptions)
            output.WriteLine($"Assumed: {PlainText.Of(assumption)}");
        if (report.Entries.Count == 0)
            return;
        output.WriteLine();
        WriteNumbers(output, "STATE", "IMAGE", ["DIGEST", "USED BY", "RUN ORIGINAL", "RUN TARGET"]);
        WriteText(output, "RULE → TARGET, OR WHY NOT");
        WriteText(output, "WORKLOADS");
        foreach (var entry in report.Entries)
            Write(output, entry);
        foreach (
            var group in report.Entries.Where(entry => entry.Problem is not null).GroupBy(entry => entry.Problem!, StringComparer.Ordinal)
        )
            output.WriteLine(
                PlainText.Of($"{group.First().Name}{(group.Count() > 1 ? $" and {group.Count() - 1} more" : "")}: {group.Key}")
            );
    }

    private static void Write(TextWriter output, ImageEntry entry)
    {
        var (original, target) = RunsOf(entry);
        WriteNumbers(
            output,
            ReportMessages.NameOf(entry.State),
            entry.Decision.Source is { } source ? Shorten(source) : PlainText.Of(Truncation.ShortenImage(entry.Name)),
            [DigestOf(entry), Text(entry.Workloads.Count), original, target]
        );
        var reason = ReportMessages.ReasonOf(entry);
        WriteText(output, entry.Decision.Target is { } to ? $"{reason} → {Shorten(to)}" : reason);
        WriteText(output, PlainText.Of(NamesOf(entry.Workloads)));
    }

    private static string DigestOf(ImageEntry entry) =>
        entry.IsSameDigest switch
        {
            true => "same",
            false => "differs",
            null => "-",
        };

    private static (string Original, string Target) RunsOf(ImageEntry entry) =>
        entry switch
        {
            { RunningOriginal: 0, RunningTarget: 0 } => ("-", "-"),
            { Target: null } => (Text(entry.RunningOriginal), "-"),
            _ => (Text(entry.RunningOriginal), Text(entry.RunningTarget)),
        };

    /// <summary>As many names as fit a row, at least one, and the number of the others.</summary>
    private static string NamesOf(IReadOnlyCollection<Workload> workloads)
    {
        var names = workloads.Select(workload => workload.ToString()).Order(StringComparer.Ordinal).ToList();
        var text = new StringBuilder(names[0]);
        for (var shown = 1; shown < names.Count; shown++)
        {
            if (text.Length + 2 + names[shown].Length + Rest(names.Count - shown - 1).Length > TextWidth)
                return text.Append(Rest(names.Count - shown)).ToString();
            text.Append(", ").Append(names[shown]);
        }
        return text.ToString();
    }

    private static string Rest(int count) => count == 0 ? "" : $" and {count} more";

    private static string Shorten(ImageReference image) =>
        image.Digest is { } digest ? $"{image.ToString()[..^(digest.Hex.Length - DigestLength)]}…" : image.ToString();

    /// <summary>A row with numbers; a long text has rows above it.</summary>
    private static void WriteNumbers(TextWriter output, string state, string text, string[] numbers)
    {
        var right = $"{numbers[0], -7} {numbers[1], 7} {numbers[2], 12} {numbers[3], 10}";
        if (text.Length + right.Length < TextWidth)
        {
            output.WriteLine($"{state.PadRight(StateWidth)}{text.PadRight(TextWidth - right.Length)}{right}");
            return;
        }
        WriteText(output, text, state);
        output.WriteLine(right.PadLeft(Columns));
    }

    private static void WriteText(TextWriter output, string text, string state = "")
    {
        for (var start = 0; start < text.Length; start += TextWidth)
            output.WriteLine(
                $"{(start == 0 ? state : "").PadRight(StateWidth)}{text.AsSpan(start, Math.Min(TextWidth, text.Length - start))}"
            );
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
