using ProxySwapper.Mirroring;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;

namespace ProxySwapper.Backfilling;

/// <summary>The copies after which every image of a report is downstream, most used first.</summary>
/// <param name="Images">The images to copy, or to pull through their cache.</param>
/// <param name="Skipped">Images that are missing, or could not be checked, and that nothing copies; with the reason.</param>
internal sealed record BackfillPlan(IReadOnlyList<BackfillImage> Images, IReadOnlyList<MirrorResult> Skipped)
{
    /// <param name="report">The images; their order is kept.</param>
    /// <param name="registry">
    /// Only the images of this registry that could not be pulled again without it, or may not; null for all.
    /// </param>
    public static BackfillPlan Create(ImageReport report, RegistryName? registry)
    {
        var (images, skipped) = (new List<BackfillImage>(), new List<MirrorResult>());
        var repositories = new Dictionary<(string, string), MirrorImage>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in report.Entries.Where(entry => entry.State is ImageState.Missing or ImageState.Unknown or ImageState.OnDemand))
        {
            if (registry is not null && entry.Origin != registry)
                continue;
            if (entry.Work is { } work)
            {
                if (seen.Add(work.Key))
                    images.Add(new BackfillImage(TaskOf(work.Origin, work.Target), work, OriginsOf(entry), entry.Problem));
            }
            else if (entry.State != ImageState.OnDemand && seen.Add(entry.Target!.ToString()))
            {
                var task = TaskOf(entry.Decision.Source!, entry.Target);
                skipped.Add(new MirrorResult(task.Image, task.Tag, MirrorOutcome.Skipped, ReasonOf(entry)));
            }
        }
        return new BackfillPlan(images, skipped);

        MirrorTask TaskOf(ImageReference source, ImageReference target)
        {
            var names = (source.Name, target.Name);
            if (!repositories.TryGetValue(names, out var image))
                repositories[names] = image = new MirrorImage(
                    source.Name,
                    ImageReference.Parse(source.Name),
                    ImageReference.Parse(target.Name)
                );
            return new MirrorTask(image, source.ToString()[(source.Name.Length + 1)..], IsPresent: false);
        }
    }

    private static string ReasonOf(ImageEntry entry)
    {
        var reason = entry.IsFilledOnDemand
            ? $"{entry.Decision.Rule} has populate: false: its target fetches images itself"
            : "the image names the target itself, so that its source is not known";
        return entry.State == ImageState.Missing ? $"missing; {reason}" : $"not checked: {entry.Problem}; {reason}";
    }

    /// <summary>
    /// The users of an image, as far as their pull secrets differ: first one of each namespace, so that none crowds out the others.
    /// </summary>
    public static IReadOnlyList<PodOrigin> OriginsOf(ImageEntry entry)
    {
        var origins = new List<PodOrigin>();
        var turns = entry
            .Workloads.GroupBy(workload => workload.Namespace)
            .SelectMany(same => same.Index())
            .OrderBy(workload => workload.Index)
            .Select(workload => workload.Item);
        foreach (var workload in turns)
        {
            var origin = new PodOrigin(workload.Namespace, workload.Name, workload.ServiceAccount, workload.PullSecrets)
            {
                ApiVersion = workload.ApiVersion,
                Kind = workload.Kind,
                // The pull secrets of a cluster-scoped object's Pods are in namespaces that it does not name.
                Uid = workload.Namespace.Length == 0 ? null : workload.Uid,
            };
            if (origins.TrueForAll(other => other.HasOtherAccessThan(origin)))
                origins.Add(origin);
            if (origins.Count == PodOrigin.MaximumPerImage)
                break;
        }
        return origins;
    }
}

/// <summary>One image to copy.</summary>
/// <param name="Task">How it is displayed.</param>
/// <param name="Work">What to do.</param>
/// <param name="Origins">Its users, as far as their pull secrets differ.</param>
/// <param name="Problem">Why it could not be checked; null if it could.</param>
internal sealed record BackfillImage(MirrorTask Task, PopulationWork Work, IReadOnlyList<PodOrigin> Origins, string? Problem);
