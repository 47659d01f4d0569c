namespace ProxySwapper.Admission;

/// <summary>The gate of Pods that wait for their images, and its labels and annotations.</summary>
internal static class GateLabels
{
    /// <summary>The name in <c>spec.schedulingGates</c>.</summary>
    public const string Gate = "proxyswapper.io/image";

    /// <summary>The label by which Pods with that gate are found.</summary>
    public const string Gated = "proxyswapper.io/gated";

    /// <summary>The value of <see cref="Gated"/>.</summary>
    public const string GatedValue = "true";

    /// <summary>
    /// The prefix of the annotations, by container, with the images that a gated Pod was given: one that was changed since is neither
    /// waited for nor restored.
    /// </summary>
    public const string GatedImagePrefix = "gated-image.proxyswapper.io/";

    /// <summary>The label of a Pod with images to copy downstream although none was rewritten.</summary>
    public const string Populate = "proxyswapper.io/populate";

    /// <summary>The value of <see cref="Populate"/>.</summary>
    public const string PopulateValue = "wanted";

    /// <summary>The annotation of a Pod whose original images were restored, with the reason.</summary>
    public const string LeftOriginal = "proxyswapper.io/left-original";

    /// <summary>The annotation that carries the trace of the admission (W3C traceparent) to the copy.</summary>
    public const string Trace = "proxyswapper.io/traceparent";
}
