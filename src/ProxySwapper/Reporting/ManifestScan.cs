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

    private readonly List<(string Name, ManifestImages Images)> _manifests = [];

    /// <summary>Reads the files.</summary>
    /// <returns>The Pods that are rewritten, according to the manifests.</returns>
    /// <param name="webhookName">The webhook's configuration, or the policy's binding, if the manifests contain it.</param>
    /// <exception cref="ConfigurationException">A file cannot be read, or is not YAML.</exception>
    public WebhookScope Read(string webhookName)
    {
        foreach (var file in files)
        {
            var input = ManifestInput.Read(file);
            _manifests.Add((input.Name, WorkloadReader.Read(input.Name, input.Text, onlyNamespace ?? DefaultNamespace)));
        }
        return WebhookScope.OfManifests([.. _manifests.SelectMany(manifest => manifest.Images.Scopes)], webhookName, problems);
    }

    /// <summary>Adds what was read to a report.</summary>
    public void AddTo(ReportBuilder report)
    {
        foreach (var (name, images) in _manifests)
        {
            foreach (var unread in images.Unread)
                problems.AddUnseen($"{name}: not read: {unread}");
            var ours = images.Images.Where(image => onlyNamespace is null || image.Namespace == onlyNamespace);
            foreach (var workload in ours.GroupBy(image => new Workload(image.Kind, image.Namespace, image.Name)))
                report.AddTemplate(workload.Select(image => new ImageUse(image.Image, null, null, workload.Key, TraitsOf(image))));
        }
    }

    private static PodTraits TraitsOf(ManifestImage image) =>
        new()
        {
            IsOptedOut = image.IsOptedOut,
            Labels = image.Labels,
            Controller = PodController.Of(image.Kind),
        };
}
