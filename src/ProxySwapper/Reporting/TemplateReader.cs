using System.Text.Json;
using ProxySwapper.Admission;
using static ProxySwapper.Kubernetes.ObjectFields;

namespace ProxySwapper.Reporting;

/// <summary>Reads the images of a Pod, or of a Pod template, in the API server's JSON.</summary>
internal static class TemplateReader
{
    /// <summary>The template at a path of an object, or null if there is none with containers.</summary>
    public static JsonElement? Find(JsonElement item, ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            item = Member(item, name);
        return Member(Member(item, "spec"), "containers").ValueKind == JsonValueKind.Array ? item : null;
    }

    /// <summary>The images of a template.</summary>
    /// <param name="template">The template.</param>
    /// <param name="workload">Whose it is.</param>
    /// <param name="controller">The controller that its Pods will have, if known.</param>
    public static IEnumerable<ImageUse> ReadTemplate(JsonElement template, Workload workload, PodController? controller)
    {
        var spec = Member(template, "spec");
        var traits = TraitsOf(template) with { Controller = controller };
        workload = WithAccount(workload, spec);
        return ImagesOf(spec).Select(image => new ImageUse(image.Image, null, null, workload, traits));
    }

    /// <summary>The images of a Pod, with the original ones from its annotations.</summary>
    public static IEnumerable<ImageUse> ReadPod(JsonElement pod, Workload workload, PodController? controller)
    {
        var spec = Member(pod, "spec");
        var annotations = Member(Member(pod, "metadata"), "annotations");
        var node = Text(spec, "nodeName");
        var traits = TraitsOf(pod) with { Controller = controller };
        workload = WithAccount(workload, spec);
        foreach (var image in ImagesOf(spec))
        {
            var original = image.OriginalImageKey is { } key ? Text(annotations, key) : null;
            yield return new ImageUse(original ?? image.Image, image.Image, node, workload, traits);
        }
    }

    private static IEnumerable<PodImage> ImagesOf(JsonElement spec)
    {
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in Items(spec, field.List))
            if ((field.IsVolume ? Text(Member(item, "image"), "reference") : Text(item, "image")) is { } image)
                yield return new PodImage(field.Kind, 0, Text(item, "name") ?? "", image, null);
    }

    private static PodTraits TraitsOf(JsonElement pod)
    {
        var labels = LabelSelector.LabelsOf(pod);
        var annotations = Member(Member(pod, "metadata"), "annotations");
        return new PodTraits
        {
            IsOptedOut = labels.TryGetValue(WellKnownLabels.OptOutLabel, out var ignore) && ignore == "true",
            IsMirror = Member(annotations, WellKnownLabels.MirrorAnnotation).ValueKind != JsonValueKind.Undefined,
            Labels = labels,
        };
    }

    private static Workload WithAccount(Workload workload, JsonElement spec)
    {
        var secrets = new List<string>();
        foreach (var secret in Items(spec, "imagePullSecrets"))
            if (Text(secret, "name") is { } name)
                secrets.Add(name);
        return workload with { ServiceAccount = Text(spec, "serviceAccountName") ?? "default", PullSecrets = secrets };
    }
}
