using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;

namespace ProxySwapper.Reporting;

/// <summary>Reads the Pod templates of manifests instead of a cluster, such as the output of <c>helm template</c>.</summary>
internal static class ManifestScan
{
    /// <param name="files">Paths; <c>-</c> is standard input.</param>
    /// <param name="defaultNamespace">The namespace of manifests without one.</param>
    /// <param name="report">Receives the findings.</param>
    /// <param name="problems">Receives what may name images but cannot be read.</param>
    /// <exception cref="ConfigurationException">A file cannot be read, or is not YAML.</exception>
    public static void Run(IReadOnlyList<string> files, string defaultNamespace, ReportBuilder report, ReportProblems problems)
    {
        foreach (var file in files)
        {
            var input = ManifestInput.Read(file);
            var images = WorkloadReader.Read(input.Name, input.Text, defaultNamespace);
            foreach (var unread in images.Unread)
                problems.AddUnseen($"{input.Name}: not read: {unread}");
            foreach (var workload in images.Images.GroupBy(image => new Workload(image.Kind, image.Namespace, image.Name)))
                report.AddTemplate(workload.Select(image => new ImageUse(image.Image, null, null, workload.Key, TraitsOf(image))));
        }
    }

    private static PodTraits TraitsOf(ManifestImage image) =>
        new() { IsOptedOut = image.IsOptedOut, Controller = PodController.Of(image.Kind) };
}
