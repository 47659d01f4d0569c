using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>A Pod of the cluster as a list has it: its images, and what they were before a rule took them.</summary>
/// <param name="Origin">The Pod.</param>
/// <param name="Uid">What tells it from another one of that name.</param>
/// <param name="IsStarted">Whether kubelet has its images.</param>
/// <param name="Images">Its images, each with the one that its owner wrote, or null where that was not kept.</param>
internal sealed record ListedPod(PodOrigin Origin, string Uid, bool IsStarted, IReadOnlyList<(string Final, string? Original)> Images)
{
    public static ListedPod Read(JsonElement pod)
    {
        var metadata = pod.GetProperty("metadata");
        var annotations = Member(metadata, "annotations");
        var spec = Member(pod, "spec");
        var images = new List<(string, string?)>();
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in Items(spec, field.List))
            Add(field, item, field.IsVolume ? Text(Member(item, "image"), "reference") : Text(item, "image"));
        var account = Text(spec, "serviceAccountName");
        var origin = new PodOrigin(
            Text(metadata, "namespace"),
            Text(metadata, "name"),
            account.Length > 0 ? account : "default",
            [.. Items(spec, "imagePullSecrets").Select(secret => Text(secret, "name")).Where(name => name.Length > 0)]
        );
        return new ListedPod(origin, Text(metadata, "uid"), Text(Member(pod, "status"), "phase") == "Running", images);

        void Add(PodImageField field, JsonElement item, string final)
        {
            if (final.Length == 0)
                return;
            var original = Text(annotations, field.AnnotationPrefix + Text(item, "name"));
            images.Add((final, original.Length > 0 ? original : null));
        }
    }

    /// <summary>
    /// What was decided on an image when its Pod was admitted: what the rules say now, unless they have changed since; then what the Pod
    /// itself tells.
    /// </summary>
    public static ImageDecision DecisionOf(string final, string? original, string @namespace, RuleSet rules)
    {
        if (original is null)
            return rules.Evaluate(final, @namespace);
        var decision = rules.Evaluate(original, @namespace);
        if (!ImageReference.TryParse(final, out var target) || decision.Target == target)
            return decision;
        return ImageReference.TryParse(original, out var source)
            ? new ImageDecision(original, DecisionReason.Rewritten, source.WithDefaultTag(), target, null, null)
            : decision;
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    private static string Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
