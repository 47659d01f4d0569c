using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>What the cluster still needs of one registry.</summary>
/// <param name="Registry">The registry's host.</param>
/// <param name="Unswapped">Images that come from there, by why no rule takes them.</param>
/// <param name="Missing">Images of there that are rewritten and not downstream.</param>
/// <param name="StuckWorkloads">Workloads that could not start again if the registry were gone.</param>
/// <param name="Pulls">
/// Pulls from there when every node starts anew: one for each image and node that has it, at least one an image.
/// </param>
/// <param name="Bytes">The bytes of these pulls, as far as nodes tell the sizes.</param>
/// <param name="UnknownSizes">Images whose size no node tells.</param>
internal sealed record RegistrySummary(
    string Registry,
    IReadOnlyDictionary<DecisionReason, int> Unswapped,
    int Missing,
    int StuckWorkloads,
    int Pulls,
    long Bytes,
    int UnknownSizes
)
{
    /// <summary>Images that could not be pulled if the registry were gone.</summary>
    public int StuckImages => Unswapped.Values.Sum() + Missing;

    /// <summary>One for each registry that something still comes from, the most needed first.</summary>
    public static IReadOnlyList<RegistrySummary> Of(IEnumerable<ImageEntry> entries) =>
        [
            .. entries
                .Where(entry => entry.Registry is not null && entry.Decision.Reason != DecisionReason.AlreadyAtTarget)
                .Where(entry => entry.State is ImageState.Unswapped or ImageState.Missing)
                .GroupBy(entry => entry.Registry!, StringComparer.Ordinal)
                .Select(Summarize)
                .OrderByDescending(summary => summary.StuckImages)
                .ThenBy(summary => summary.Registry, StringComparer.Ordinal),
        ];

    private static RegistrySummary Summarize(IGrouping<string, ImageEntry> entries)
    {
        var unswapped = entries.Where(entry => entry.State == ImageState.Unswapped).ToList();
        return new RegistrySummary(
            entries.Key,
            unswapped.CountBy(entry => entry.Decision.Reason).ToDictionary(),
            entries.Count(entry => entry.State == ImageState.Missing),
            entries.SelectMany(entry => entry.Workloads).Distinct().Count(),
            entries.Sum(PullsOf),
            entries.Sum(entry => (entry.Size ?? 0) * PullsOf(entry)),
            entries.Count(entry => entry.Size is null)
        );
    }

    /// <summary>What is missing downstream is copied once; what is not rewritten is pulled by each node.</summary>
    private static int PullsOf(ImageEntry entry) => entry.State == ImageState.Missing ? 1 : Math.Max(1, entry.Nodes);
}
