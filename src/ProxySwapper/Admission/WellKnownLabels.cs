using ProxySwapper.Patterns;

namespace ProxySwapper.Admission;

/// <summary>The labels and annotations by which Pods and we talk to each other.</summary>
internal static class WellKnownLabels
{
    /// <summary>With the value <c>true</c>, on a Pod: leave it alone.</summary>
    public const string OptOutLabel = "proxyswapper.io/ignore";

    /// <summary>Set by kubelet on the API server's copy of a static Pod.</summary>
    public const string MirrorAnnotation = "kubernetes.io/config.mirror";

    /// <summary>What the key of an annotation begins with that keeps an image as it was written.</summary>
    public const string OriginalImagePrefix = "original-image.";

    /// <summary>What comes before a container's name in such a key.</summary>
    public const string ContainerPrefix = OriginalImagePrefix + "proxyswapper.io/";

    /// <summary>What comes before a volume's name in such a key.</summary>
    public const string VolumePrefix = OriginalImagePrefix + "volume.proxyswapper.io/";

    /// <summary>The size of all keys and values of a Pod's annotations above which an API server refuses it.</summary>
    private const int MaximumAnnotationsSize = 256 * 1024;

    /// <summary>
    /// The annotation that keeps the image of a container or volume as it was written; null for a name that Kubernetes refuses anyway.
    /// Names of containers are unique in a Pod, whatever list they are in.
    /// </summary>
    public static string? OriginalImageKey(PodImage slot) =>
        !KeepsOriginalImage(slot) ? null : (slot.Kind == PodImageKind.Volume ? VolumePrefix : ContainerPrefix) + slot.Name;

    /// <summary>Whether there is an <see cref="OriginalImageKey"/>.</summary>
    public static bool KeepsOriginalImage(PodImage slot) => LabelSyntax.IsName(slot.Name);

    /// <summary>
    /// False when the original images would make the annotations too large and so the Pod refused. Counts generously: the annotations
    /// as they were sent, with quotes and escapes.
    /// </summary>
    public static bool HasRoomForOriginalImages(PodSummary pod, PodDecision decision)
    {
        var size = pod.AnnotationsSize;
        foreach (var (slot, image) in decision.Images)
            if (image.IsRewritten)
                size += VolumePrefix.Length + slot.Name.Length + image.Image.Length;
        return size <= MaximumAnnotationsSize;
    }
}
