using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>Reads the images of a Pod, or of a Pod template, in the API server's JSON.</summary>
internal static class TemplateReader
{
    /// <summary>The template at a path of an object, or null if there is none with containers.</summary>
    public static JsonElement? Find(JsonElement item, ReadOnlySpan<string> path)
    {
        item = item.Member(path);
        return item.Member("spec", "containers").ValueKind == JsonValueKind.Array ? item : null;
    }

    /// <summary>The images of a template.</summary>
    /// <param name="template">The template.</param>
    /// <param name="workload">Whose it is.</param>
    /// <param name="controller">The controller that its Pods will have, if known.</param>
    public static IEnumerable<ImageUse> ReadTemplate(JsonElement template, Workload workload, PodController? controller)
    {
        var spec = template.Member("spec");
        var traits = TraitsOf(template) with { Controller = controller };
        workload = WithAccount(workload, spec);
        return ImagesOf(spec).Select(image => new ImageUse(image.Image, null, null, workload, traits));
    }

    /// <summary>The images of a Pod, with the original ones from its annotations.</summary>
    public static IEnumerable<ImageUse> ReadPod(JsonElement pod, Workload workload, PodController? controller)
    {
        var spec = pod.Member("spec");
        var annotations = pod.Member("metadata", "annotations");
        var node = spec.Text("nodeName");
        var traits = TraitsOf(pod) with { Controller = controller };
        workload = WithAccount(workload, spec);
        foreach (var image in ImagesOf(spec))
        {
            var original = image.OriginalImageKey is { } key ? annotations.Text(key) : null;
            yield return new ImageUse(original ?? image.Image, image.Image, node, workload, traits);
        }
    }

    private static IEnumerable<PodImage> ImagesOf(JsonElement spec)
    {
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in spec.Items(field.List))
            if ((field.IsVolume ? item.Text("image", "reference") : item.Text("image")) is { } image)
                yield return new PodImage(field.Kind, 0, item.TextOrEmpty("name"), image, null);
    }

    private static PodTraits TraitsOf(JsonElement pod)
    {
        var labels = LabelSelector.LabelsOf(pod);
        var annotations = pod.Member("metadata", "annotations");
        return new PodTraits
        {
            IsOptedOut = labels.TryGetValue(WellKnownLabels.OptOutLabel, out var ignore) && ignore == "true",
            IsMirror = annotations.Member(WellKnownLabels.MirrorAnnotation).ValueKind != JsonValueKind.Undefined,
            Labels = labels,
        };
    }

    private static Workload WithAccount(Workload workload, JsonElement spec)
    {
        var secrets = new List<string>();
        foreach (var secret in spec.Items("imagePullSecrets"))
            if (secret.Text("name") is { } name)
                secrets.Add(name);
        return workload with { ServiceAccount = spec.Text("serviceAccountName") ?? "default", PullSecrets = secrets };
    }
}
