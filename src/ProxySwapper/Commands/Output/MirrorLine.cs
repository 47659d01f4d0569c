using ProxySwapper.Mirroring;
using ProxySwapper.Registry;

namespace ProxySwapper.Commands.Output;

/// <summary>Results and totals as text.</summary>
internal static class MirrorLine
{
    public static string Of(MirrorResult result, bool isDryRun)
    {
        var tag = result.Tag is null ? "" : Suffix(result.Tag);
        var bytes = result.Bytes > 0 ? $" ({ByteSize.Format(result.Bytes)})" : "";
        var detail = result.Detail is null ? "" : $": {result.Detail}";
        var images = $"{result.Image.Source.Name}{tag} -> {result.Image.Destination.Name}{tag}";
        return $"{WordOf(result.Outcome, isDryRun), -14} {images}{bytes}{detail}";
    }

    /// <summary>The suffix of a repository: a tag, or a digest for images with a digest.</summary>
    public static string Suffix(string tag) =>
        ImageReference.IsTag(tag) || tag.Contains('@', StringComparison.Ordinal) ? $":{tag}" : $"@{tag}";

    public static string Summary(MirrorReport report) =>
        string.Join(
            ", ",
            Enum.GetValues<MirrorOutcome>()
                .Select(outcome => (Count: report.Count(outcome), Word: WordOf(outcome, report.IsDryRun)))
                .Where(sum => sum.Count > 0)
                .Select(sum => $"{sum.Count} {sum.Word}")
                .DefaultIfEmpty("nothing to do")
        ) + (report.IsDryRun ? "" : $"; {ByteSize.Format(report.Bytes)} copied");

    /// <summary>An outcome in a word.</summary>
    public static string WordOf(MirrorOutcome outcome, bool isDryRun) =>
        outcome switch
        {
            MirrorOutcome.Copied => isDryRun ? "would copy" : "copied",
            MirrorOutcome.Replaced => isDryRun ? "would replace" : "replaced",
            MirrorOutcome.UpToDate => "up to date",
            MirrorOutcome.Skipped => "skipped",
            MirrorOutcome.Failed => "failed",
            _ => "left",
        };
}
