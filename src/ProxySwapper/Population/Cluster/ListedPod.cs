using System.Diagnostics;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>A Pod from a list: its images, and their originals.</summary>
/// <param name="Origin">The Pod.</param>
/// <param name="Uid">Distinguishes it from others of the same name.</param>
/// <param name="IsStarted">Whether kubelet has pulled its images.</param>
/// <param name="Images">Its images, each with its original or null if unknown.</param>
internal sealed record ListedPod(PodOrigin Origin, string Uid, bool IsStarted, IReadOnlyList<ListedImage> Images)
{
    public static ListedPod Read(JsonElement pod)
    {
        var metadata = pod.Member("metadata");
        var annotations = metadata.Member("annotations");
        var spec = pod.Member("spec");
        var images = new List<ListedImage>();
        foreach (var field in PodImageFields.OfSpec)
        foreach (var item in spec.Items(field.List))
        {
            var image = field.IsVolume ? item.Member("image") : item;
            Add(
                field,
                item,
                image.TextOrEmpty(field.IsVolume ? "reference" : "image"),
                image.TextOrEmpty(field.IsVolume ? "pullPolicy" : "imagePullPolicy")
            );
        }
        var account = spec.TextOrEmpty("serviceAccountName");
        var origin = new PodOrigin(
            metadata.TextOrEmpty("namespace"),
            metadata.TextOrEmpty("name"),
            account.Length > 0 ? account : "default",
            [.. spec.Items("imagePullSecrets").Select(secret => secret.TextOrEmpty("name")).Where(name => name.Length > 0)],
            ActivityContext.TryParse(annotations.TextOrEmpty(GateLabels.Trace), null, isRemote: true, out var trace) ? trace : default
        )
        {
            Uid = metadata.TextOrEmpty("uid"),
        };
        return new ListedPod(origin, origin.Uid, pod.TextOrEmpty("status", "phase") == "Running", images);

        void Add(PodImageField field, JsonElement item, string final, string policy)
        {
            if (final.Length == 0)
                return;
            var original = annotations.TextOrEmpty(field.AnnotationPrefix + item.TextOrEmpty("name"));
            images.Add(
                new ListedImage(final, original.Length > 0 ? original : null, policy == "Always")
                {
                    IsEphemeral = field.Kind == PodImageKind.EphemeralContainer,
                }
            );
        }
    }

    /// <summary>
    /// What the current rules decide for an image of the Pod. That of an ephemeral container, whose subresource cannot set annotations, has
    /// no original here. None is derived from the rules: the image may have been written like that, and not be the copy of another.
    /// </summary>
    public ImageDecision DecisionOf(ListedImage image, RuleSet rules) => DecisionOf(image.Final, image.Original, Origin.Namespace, rules);

    /// <summary>
    /// What the current rules decide for an image. The original from the Pod's annotation only counts if the rules rewrite it to the
    /// current image: anyone who creates Pods can write such an annotation and must not have arbitrary images copied. The current image
    /// may also have the digest of its tag, by <c>populate.gate.pinDigests</c> or from a webhook that resolves tags.
    /// </summary>
    public static ImageDecision DecisionOf(string final, string? original, string @namespace, RuleSet rules)
    {
        if (original is null)
            return rules.Evaluate(final, @namespace);
        var decision = rules.Evaluate(original, @namespace);
        if (ImageReference.TryParse(final, out var target))
        {
            if (decision.Target == target)
                return decision;
            if (
                target.Digest is { } digest
                && decision is { Target: { Digest: null } tagged, Source: { } source }
                && (target.Tag ?? tagged.Tag) == tagged.Tag
                && rules.Evaluate($"{source.Name}@{digest}", @namespace) is { Target: { } pinned } exact
                && (pinned.Name, pinned.Digest) == (target.Name, target.Digest)
            )
                return exact;
        }
        return new ImageDecision(final, DecisionReason.NoRule, null, null, null, null);
    }
}

/// <summary>An image of a listed Pod.</summary>
/// <param name="Final">The Pod's current image.</param>
/// <param name="Original">The original image, or null if unknown.</param>
/// <param name="IsPulledAlways">True if its pull policy is <c>Always</c>.</param>
internal readonly record struct ListedImage(string Final, string? Original, bool IsPulledAlways)
{
    /// <summary>Whether it is that of an ephemeral container.</summary>
    public bool IsEphemeral { get; init; }
}
