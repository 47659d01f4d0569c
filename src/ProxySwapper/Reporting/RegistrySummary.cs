using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>How much the cluster depends on one registry.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Unswapped">Images from there, by the reason why they are not rewritten.</param>
/// <param name="Missing">Images from there that are rewritten but not downstream.</param>
/// <param name="StuckImages">Images that could not be pulled without the registry: it is their source, or their target.</param>
/// <param name="StuckWorkloads">Workloads that could not restart without the registry.</param>
/// <param name="Undecided">
/// Images from there whose target fetches them itself, was not checked or could not be: whether they can be pulled without it is not known.
/// </param>
/// <param name="UndecidedWorkloads">The workloads of these.</param>
/// <param name="Cost">What a cold start costs at least: one pull per image and node, at least one per image.</param>
/// <param name="MaximumCost">What it costs if no target has the undecided images.</param>
internal sealed record RegistrySummary(
    RegistryName Registry,
    IReadOnlyDictionary<DecisionReason, int> Unswapped,
    int Missing,
    int StuckImages,
    int StuckWorkloads,
    int Undecided,
    int UndecidedWorkloads,
    ColdStart Cost,
    ColdStart MaximumCost
)
{
    /// <summary>One summary per registry still in use, the most important first; those that rules send images to come last.</summary>
    public static IReadOnlyList<RegistrySummary> Of(IReadOnlyList<ImageEntry> entries)
    {
        var targets = entries.Select(entry => entry.Target?.Registry).OfType<RegistryName>().ToHashSet();
        return
        [
            .. entries
                .Where(entry => entry.State is ImageState.Unswapped or ImageState.Missing || IsUndecided(entry))
                .Select(entry => entry.Origin)
                .OfType<RegistryName>()
                .Distinct()
                .Select(registry => Summarize(registry, entries))
                .OrderBy(summary => targets.Contains(summary.Registry))
                .ThenByDescending(summary => summary.StuckImages)
                .ThenByDescending(summary => summary.Undecided)
                .ThenBy(summary => summary.Registry.Text, StringComparer.Ordinal),
        ];
    }

    /// <summary>Whether the target has the image by itself is not known.</summary>
    public static bool IsUndecided(ImageEntry entry) => entry.State is ImageState.OnDemand or ImageState.Unknown or ImageState.Swapped;

    private static RegistrySummary Summarize(RegistryName registry, IReadOnlyList<ImageEntry> entries)
    {
        var from = entries.Where(entry => entry.Origin == registry).ToList();
        var unswapped = from.Where(entry => entry.State == ImageState.Unswapped).ToList();
        var missing = from.Where(entry => entry.State == ImageState.Missing).ToList();
        // What the registry serves as a target is gone with it too.
        var targets = entries.Where(entry => entry.Target?.Registry == registry).ToList();
        var stuck = unswapped.Concat(missing).Union(targets).ToList();
        var undecided = from.Where(IsUndecided).Except(stuck).ToList();
        var (pulls, copies) = (unswapped.Concat(targets).ToList(), missing.Except(targets).ToList());
        return new RegistrySummary(
            registry,
            unswapped.CountBy(entry => entry.Decision.Reason).ToDictionary(),
            missing.Count,
            stuck.Count,
            stuck.SelectMany(entry => entry.Workloads).Distinct().Count(),
            undecided.Count,
            undecided.SelectMany(entry => entry.Workloads).Distinct().Count(),
            ColdStart.Of(pulls, copies),
            ColdStart.Of(pulls, [.. copies, .. undecided])
        );
    }
}

/// <summary>The pulls from a registry if every node starts from scratch.</summary>
/// <param name="Pulls">How many.</param>
/// <param name="Bytes">Their bytes, as far as nodes report sizes.</param>
/// <param name="UnknownSizes">Images of unknown size.</param>
internal sealed record ColdStart(int Pulls, long Bytes, int UnknownSizes)
{
    /// <param name="pulled">Images that each node pulls from there.</param>
    /// <param name="copied">Images that are copied from there once.</param>
    public static ColdStart Of(IReadOnlyCollection<ImageEntry> pulled, IReadOnlyCollection<ImageEntry> copied) =>
        new(
            copied.Count + pulled.Sum(PullsOf),
            copied.Sum(entry => entry.Size ?? 0) + pulled.Sum(entry => (entry.Size ?? 0) * PullsOf(entry)),
            copied.Concat(pulled).Count(entry => entry.Size is null)
        );

    private static int PullsOf(ImageEntry entry) => Math.Max(1, entry.Nodes);
}
