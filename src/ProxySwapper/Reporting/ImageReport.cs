namespace ProxySwapper.Reporting;

/// <summary>The findings about the images of a cluster, or of manifests.</summary>
internal sealed class ImageReport
{
    private ImageReport(IReadOnlyList<ImageEntry> entries, ReportBuilder builder, ReportProblems problems, PullLimit pullLimit)
    {
        (Entries, Registries, PullLimit) = (entries, RegistrySummary.Of(entries), pullLimit);
        IsRegistered = builder.IsRegistered;
        (Problems, Assumptions, IsIncomplete) = (problems.Unknown, problems.Assumed, problems.IsIncomplete);
        (Workloads, Pods) = (builder.Workloads, builder.Pods);
        (RewrittenPods, AdmissionPolicy) = (builder.RewrittenPods, builder.AdmissionPolicy);
    }

    /// <summary>The images, most important first: by state, then by number of users.</summary>
    public IReadOnlyList<ImageEntry> Entries { get; }

    public int Workloads { get; }

    public int Pods { get; }

    /// <inheritdoc cref="ReportBuilder.RewrittenPods"/>
    public int RewrittenPods { get; }

    /// <inheritdoc cref="ReportBuilder.AdmissionPolicy"/>
    public string? AdmissionPolicy { get; }

    /// <summary>What could not be read, as sentences.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <inheritdoc cref="ReportProblems.Assumed"/>
    public IReadOnlyList<string> Assumptions { get; }

    /// <inheritdoc cref="ReportProblems.IsIncomplete"/>
    public bool IsIncomplete { get; }

    /// <inheritdoc cref="WebhookScope.IsRegistered"/>
    public bool IsRegistered { get; }

    public IReadOnlyList<RegistrySummary> Registries { get; }

    /// <summary>What Docker Hub's pulls are compared with.</summary>
    public PullLimit PullLimit { get; }

    public static ImageReport Create(ReportBuilder builder, ReportProblems problems, PullLimit? pullLimit = null) =>
        new(
            [
                .. builder
                    .Entries.OrderBy(entry => entry.State)
                    .ThenByDescending(entry => entry.Workloads.Count + entry.RunningOriginal + entry.RunningTarget)
                    .ThenBy(entry => entry.Name, StringComparer.Ordinal),
            ],
            builder,
            problems,
            pullLimit ?? new PullLimit(null)
        );

    public int Count(ImageState state) => Entries.Count(entry => entry.State == state);
}
