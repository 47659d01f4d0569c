using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;

namespace ProxySwapper.Reporting;

/// <summary>Reads the Pod templates of manifests instead of a cluster, such as the output of <c>helm template</c>.</summary>
/// <param name="files">Paths; <c>-</c> is standard input.</param>
/// <param name="onlyNamespace">The only namespace of interest, and that of manifests without one; null for all.</param>
/// <param name="problems">Receives what may name images but cannot be read.</param>
internal sealed class ManifestScan(IReadOnlyList<string> files, string? onlyNamespace, ReportProblems problems)
{
    /// <summary>The namespace of manifests without one, as for kubectl.</summary>
    private const string DefaultNamespace = "default";

    private const int MaximumListed = 20;

    private readonly List<(string Name, ManifestImages Images)> _manifests = [];

    /// <summary>Reads the files.</summary>
    /// <returns>The Pods that are rewritten, according to the manifests.</returns>
    /// <param name="webhook">The webhook's configuration, if the manifests contain it.</param>
    /// <param name="policy">The admission policy that is configured, whose binding the manifests may contain.</param>
    /// <exception cref="ConfigurationException">A file cannot be read, or is not YAML.</exception>
    public WebhookScope Read(string webhook, AdmissionPolicyOptions policy)
    {
        foreach (var file in files)
        {
            var input = ManifestInput.Read(file);
            _manifests.Add((input.Name, WorkloadReader.Read(input.Name, input.Text, onlyNamespace ?? DefaultNamespace)));
        }
        return WebhookScope.OfManifests([.. _manifests.SelectMany(manifest => manifest.Images.Scopes)], webhook, policy, problems);
    }

    /// <summary>Adds what was read to a report. Manifests without an image are a problem: nothing is known about them.</summary>
    public void AddTo(ReportBuilder report)
    {
        foreach (var (name, images) in _manifests)
        {
            foreach (var unread in images.Unread)
                problems.AddUnseen($"{name}: not read: {unread}");
            foreach (var workload in images.Images.Where(IsOurs).GroupBy(image => new Workload(image.Kind, image.Namespace, image.Name)))
                report.AddTemplate(workload.Select(image => new ImageUse(image.Image, null, null, workload.Key, TraitsOf(image))));
        }
        // A file of namespaces has no images of its own, the output of a command that failed has nothing at all.
        foreach (var (name, images) in _manifests.Where(manifest => report.Entries.Count == 0 || manifest.Images.IsEmpty))
            problems.AddUnseen($"{name}: no images found{InNamespace(images)}");
    }

    private bool IsOurs(ManifestImage image) => onlyNamespace is null || image.Namespace == onlyNamespace;

    private string InNamespace(ManifestImages found)
    {
        var others = found.Images.Select(image => image.Namespace).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return others.Count == 0
            ? ""
            : $" in namespace {onlyNamespace}; it has images in {string.Join(", ", others.Take(MaximumListed))}"
                + (others.Count > MaximumListed ? $" and {others.Count - MaximumListed} more" : "");
    }

    private static PodTraits TraitsOf(ManifestImage image) =>
        new()
        {
            IsOptedOut = image.IsOptedOut,
            Labels = image.Labels,
            Controller = PodController.Of(image.Kind),
        };
}
