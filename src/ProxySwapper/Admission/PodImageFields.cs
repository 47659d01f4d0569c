using System.Collections.Immutable;
using System.Text;

namespace ProxySwapper.Admission;

/// <summary>
/// The fields of a Pod that name images: the single table behind reading and writing of reviews, patches, lists of Pods and manifests
/// (<see href="https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/"/>).
/// </summary>
internal static class PodImageFields
{
    /// <summary>The lists below a Pod's <c>spec</c>.</summary>
    public static readonly ImmutableArray<PodImageField> OfSpec =
    [
        new(PodImageKind.InitContainer, "initContainers"),
        new(PodImageKind.Container, "containers"),
        new(PodImageKind.EphemeralContainer, "ephemeralContainers"),
        new(PodImageKind.Volume, "volumes"),
    ];

    /// <summary>The list at the top of the kind EphemeralContainers.</summary>
    public static readonly PodImageField OfEphemeralContainers = new(PodImageKind.BareEphemeralContainer, "ephemeralContainers");

    private static readonly PodImageField[] ByKind = [.. OfSpec.Append(OfEphemeralContainers).OrderBy(field => field.Kind)];

    public static PodImageField Of(PodImageKind kind) => ByKind[(int)kind];
}

/// <summary>A list whose items contain images.</summary>
internal sealed class PodImageField
{
    public PodImageField(PodImageKind kind, string list)
    {
        (Kind, List) = (kind, list);
        ListBytes = Encoding.UTF8.GetBytes(list);
        PointerStart = Encoding.UTF8.GetBytes(kind == PodImageKind.BareEphemeralContainer ? $"/{list}/" : $"/spec/{list}/");
        PointerEnd = Encoding.UTF8.GetBytes(IsVolume ? "/image/reference" : "/image");
        AnnotationPrefix = IsVolume ? "original-image.volume.proxyswapper.io/" : "original-image.proxyswapper.io/";
    }

    public PodImageKind Kind { get; }

    /// <summary>The list's name.</summary>
    public string List { get; }

    /// <summary>The list's name in UTF-8.</summary>
    public byte[] ListBytes { get; }

    /// <summary>True if an item's image is an object with <c>reference</c> and <c>pullPolicy</c> instead of a string.</summary>
    public bool IsVolume => Kind == PodImageKind.Volume;

    /// <summary>The parts of an image's JSON pointer (RFC 6901) before and after the item's index.</summary>
    public byte[] PointerStart { get; }

    /// <inheritdoc cref="PointerStart"/>
    public byte[] PointerEnd { get; }

    /// <summary>The prefix of the annotation key that stores the original image; the item's name follows.</summary>
    public string AnnotationPrefix { get; }
}

/// <summary>The lists of a Pod that name images.</summary>
internal enum PodImageKind
{
    Container,
    InitContainer,
    EphemeralContainer,

    /// <summary>The list at the top of the kind EphemeralContainers, which API servers before 1.22 send for that subresource.</summary>
    BareEphemeralContainer,
    Volume,
}
