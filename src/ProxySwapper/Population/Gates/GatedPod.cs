using System.Globalization;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;

namespace ProxySwapper.Population.Gates;

/// <summary>A Pod that waits behind our scheduling gate, as last seen.</summary>
internal sealed record GatedPod
{
    /// <summary>The lists whose images may change while a Pod is gated.</summary>
    private static readonly PodImageField[] Fields =
    [
        PodImageFields.Of(PodImageKind.InitContainer),
        PodImageFields.Of(PodImageKind.Container),
    ];

    public required string Namespace { get; init; }
    public required string Name { get; init; }

    /// <summary>Distinguishes it from others of the same name.</summary>
    public required string Uid { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The index of our gate among the Pod's gates.</summary>
    public required int GateIndex { get; init; }

    /// <summary>Whether it has the label <see cref="GateLabels.Gated"/>, with any value.</summary>
    public required bool HasLabel { get; init; }

    /// <summary>The rewritten images, without those that somebody changed since.</summary>
    public required IReadOnlyList<GatedImage> Images { get; init; }

    /// <summary>Reads a Pod; null without our gate.</summary>
    public static GatedPod? Read(JsonElement pod)
    {
        var (metadata, spec) = (pod.Member("metadata"), pod.Member("spec"));
        var gates = spec.Items("schedulingGates").Select(gate => gate.TextOrEmpty("name")).ToList();
        if (gates.IndexOf(GateLabels.Gate) is not (>= 0 and var index))
            return null;
        var annotations = metadata.Member("annotations");
        var images = new List<GatedImage>();
        foreach (var field in Fields)
        foreach (var (place, container) in spec.Items(field.List).Index())
        {
            var (name, image) = (container.TextOrEmpty("name"), container.TextOrEmpty("image"));
            var key = field.AnnotationPrefix + name;
            if (
                annotations.TextOrEmpty(key) is { Length: > 0 } original
                && IsOurs(image, annotations.TextOrEmpty(GateLabels.GatedImagePrefix + name))
            )
                images.Add(new GatedImage($"/spec/{field.List}/{place}/image", image, original, key));
        }
        return new GatedPod
        {
            Namespace = metadata.TextOrEmpty("namespace"),
            Name = metadata.TextOrEmpty("name"),
            Uid = metadata.TextOrEmpty("uid"),
            CreatedAt = DateTimeOffset.TryParse(
                metadata.TextOrEmpty("creationTimestamp"),
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var created
            )
                ? created
                : DateTimeOffset.MinValue,
            GateIndex = index,
            HasLabel = metadata.Member("labels", GateLabels.Gated).ValueKind == JsonValueKind.String,
            Images = images,
        };
    }

    public override string ToString() => $"{Namespace}/{Name}";

    /// <summary>
    /// Whether an image is the one that the webhook made, or that one with the digest of its tag, which other webhooks resolve.
    /// </summary>
    /// <param name="image">The current image.</param>
    /// <param name="made">What the webhook made; empty if it is unknown.</param>
    private static bool IsOurs(string image, string made) =>
        made.Length == 0
        || image == made
        || ImageReference.TryParse(made, out var tagged)
            && ImageReference.TryParse(image, out var now)
            && tagged.Digest is null
            && now.Digest is not null
            && now.Name == tagged.Name
            && (now.Tag ?? tagged.Tag) == tagged.Tag;
}

/// <summary>A rewritten image of a gated Pod.</summary>
/// <param name="Pointer">Its JSON pointer (RFC 6901).</param>
/// <param name="Image">The image downstream.</param>
/// <param name="Original">The original image.</param>
/// <param name="AnnotationKey">The annotation that stores the original.</param>
internal sealed record GatedImage(string Pointer, string Image, string Original, string AnnotationKey);
