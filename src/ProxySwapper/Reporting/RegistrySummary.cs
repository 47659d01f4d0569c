using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>How much the cluster depends on one registry.</summary>
/// <param name="Registry">The registry's host.</param>
/// <param name="Unswapped">Images from there, by the reason why they are not rewritten.</param>
/// <param name="Missing">Images from there that are rewritten but not downstream.</param>
/// <param name="StuckWorkloads">Workloads that could not restart without the registry.</param>
/// <param name="Pulls">
/// Pulls from there if every node starts from scratch: one per image and node, at least one per image.
/// </param>
/// <param name="Bytes">The bytes of these pulls, as far as nodes report sizes.</param>
/// <param name="UnknownSizes">Images of unknown size.</param>
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
    /// <summary>Images that could not be pulled without the registry.</summary>
    public int StuckImages => Unswapped.Values.Sum() + Missing;

    /// <summary>
    /// One summary per registry still in use, the most important first; without the registries that rules send images to.
    /// </summary>
    public static IReadOnlyList<RegistrySummary> Of(IReadOnlyList<ImageEntry> entries)
    {
        var downstream = entries.Select(entry => entry.Target?.Registry).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return
        [
            .. entries
                .Where(entry => entry.State is ImageState.Unswapped or ImageState.Missing)
                .Where(entry => entry.Registry is { } registry && !downstream.Contains(registry))
                .GroupBy(entry => entry.Registry!, StringComparer.Ordinal)
                .Select(Summarize)
                .OrderByDescending(summary => summary.StuckImages)
                .ThenBy(summary => summary.Registry, StringComparer.Ordinal),
        ];
    }

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

    /// <summary>A missing image is copied once; one that is not rewritten is pulled by each node.</summary>
    private static int PullsOf(ImageEntry entry) => entry.State == ImageState.Missing ? 1 : Math.Max(1, entry.Nodes);
}
