using System.Globalization;
using ProxySwapper.Mirroring;

namespace ProxySwapper.Commands.Output;

/// <summary>
/// The result of a mirror run as a table: for each entry of the file the number of tags copied, up to date, skipped and failed, and the
/// bytes. The columns for replaced tags and tags left for the next run appear only if there are any; so does the one that counts all that
/// makes the exit code 1, if something skipped is among it.
/// </summary>
internal static class MirrorTable
{
    private const string Gap = "  ";

    public static void Write(TextWriter output, MirrorReport report)
    {
        if (report.Results.Count == 0)
            return;
        var columns = ColumnsOf(report).ToList();
        List<string[]> rows =
        [
            ["REPOSITORY", .. columns.Select(column => column.Title)],
        ];
        var images = report.Results.GroupBy(result => result.Image.Name, StringComparer.Ordinal).ToList();
        var names = NamesOf([.. images.Select(results => results.First().Image)]);
        foreach (var (results, name) in images.Zip(names))
            rows.Add(RowOf(name, [.. results]));
        if (rows.Count > 2)
            rows.Add(RowOf("all", report.Results));
        var widths = Enumerable.Range(0, columns.Count + 1).Select(column => rows.Max(row => row[column].Length)).ToList();
        foreach (var row in rows)
            output.WriteLine(
                string.Join(Gap, row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column])))
            );

        string[] RowOf(string name, IReadOnlyList<MirrorResult> results) => [name, .. columns.Select(column => column.Cell(results))];
    }

    /// <summary>Sources; entries that share one are distinguished by their destinations, or by their keys if they share that too.</summary>
    private static IEnumerable<string> NamesOf(IReadOnlyList<MirrorImage> images)
    {
        var sources = images.CountBy(image => image.Source.Name).ToDictionary();
        var pairs = images.CountBy(PairOf).ToDictionary();
        return images.Select(image =>
            sources[image.Source.Name] == 1 ? image.Source.Name
            : pairs[PairOf(image)] == 1 ? PairOf(image)
            : $"{PairOf(image)} ({image.Name})"
        );

        static string PairOf(MirrorImage image) => $"{image.Source.Name} -> {image.Destination.Name}";
    }

    private static IEnumerable<(string Title, Func<IReadOnlyList<MirrorResult>, string> Cell)> ColumnsOf(MirrorReport report)
    {
        foreach (var outcome in Enum.GetValues<MirrorOutcome>())
            if (outcome is not (MirrorOutcome.Replaced or MirrorOutcome.Left) || report.Count(outcome) > 0)
                yield return (
                    MirrorLine.WordOf(outcome, report.IsDryRun).ToUpperInvariant(),
                    results => results.Count(result => result.Outcome == outcome).ToString(CultureInfo.InvariantCulture)
                );
        if (report.Results.Any(result => result.IsUnread))
            yield return ("INCOMPLETE", results => results.Count(result => !result.IsComplete).ToString(CultureInfo.InvariantCulture));
        if (!report.IsDryRun)
            yield return ("BYTES", results => ByteSize.Format(results.Sum(result => result.Bytes)));
    }
}
