namespace ProxySwapper.Admission;

/// <summary>A place of a Pod that names an image.</summary>
/// <param name="Kind">Which list it is in.</param>
/// <param name="Index">Its index in that list.</param>
/// <param name="Name">The container's or volume's name, empty when it has none.</param>
/// <param name="Image">The image as written.</param>
/// <param name="PullPolicy">The pull policy as written, or null.</param>
internal readonly record struct PodImage(PodImageKind Kind, int Index, string Name, string Image, string? PullPolicy);

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
