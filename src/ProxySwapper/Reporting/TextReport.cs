using ProxySwapper.Patterns;

namespace ProxySwapper.Reporting;

/// <summary>A report for a terminal: the summary, then a table that fits 120 columns, most important first.</summary>
internal static class TextReport
{
    private const int StateWidth = 10;
    private const int ImageWidth = 44;
    private const int TargetWidth = 43;

    public static void Write(TextWriter output, ImageReport report)
    {
        foreach (var line in ReportWords.Summary(report))
            output.WriteLine(line);
        foreach (var problem in report.Problems)
            output.WriteLine($"Unknown: {PlainText.Of(problem)}");
        if (report.Entries.Count == 0)
            return;
        output.WriteLine();
        WriteRow(output, "STATE", "IMAGE", "TARGET, OR WHY NOT", "USED BY", "RUNS");
        foreach (var entry in report.Entries)
            WriteRow(
                output,
                ReportWords.NameOf(entry.State),
                PlainText.Of(entry.Name),
                entry.Decision.Target?.ToString() ?? $"({ReportWords.ReasonOf(entry.Decision)})",
                entry.Workloads.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
                RunsOf(entry)
            );
        foreach (
            var group in report.Entries.Where(entry => entry.Problem is not null).GroupBy(entry => entry.Problem!, StringComparer.Ordinal)
        )
            output.WriteLine(
                PlainText.Of($"{group.First().Name}{(group.Count() > 1 ? $" and {group.Count() - 1} more" : "")}: {group.Key}")
            );
    }

    private static string RunsOf(ImageEntry entry) =>
        entry switch
        {
            { RunningOriginal: 0, RunningTarget: 0 } => "-",
            { Target: null } => $"{entry.RunningOriginal}",
            _ => $"{entry.RunningTarget} of {entry.RunningTarget + entry.RunningOriginal}",
        };

    private static void WriteRow(TextWriter output, string state, string image, string target, string usedBy, string runs) =>
        output.WriteLine(
            $"{state.PadRight(StateWidth)} {Fit(image, ImageWidth)} {Fit(target, TargetWidth)} {usedBy, 7} {runs, 10}".TrimEnd()
        );

    /// <summary>Long texts lose their middle: both ends distinguish images.</summary>
    private static string Fit(string text, int width)
    {
        if (text.Length <= width)
            return text.PadRight(width);
        var end = (width - 1) * 3 / 5;
        return $"{text.AsSpan(0, width - 1 - end)}…{text.AsSpan(text.Length - end)}";
    }
}
