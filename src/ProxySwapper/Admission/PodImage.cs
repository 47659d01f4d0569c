using ProxySwapper.Patterns;

namespace ProxySwapper.Admission;

/// <summary>An image of a Pod, with its place.</summary>
/// <param name="Kind">Which list it is in.</param>
/// <param name="Index">Its index in that list.</param>
/// <param name="Name">The container's or volume's name, or empty.</param>
/// <param name="Image">The image as written.</param>
/// <param name="PullPolicy">The pull policy as written, or null.</param>
internal readonly record struct PodImage(PodImageKind Kind, int Index, string Name, string Image, string? PullPolicy)
{
    public PodImageField Field => PodImageFields.Of(Kind);

    /// <summary>Whether an annotation can keep the original image: not with a name that Kubernetes rejects anyway.</summary>
    public bool CanBeKept => LabelSyntax.IsName(Name);

    /// <summary>
    /// The key of the annotation that keeps the original image, or null if there can be none. Names of containers are unique
    /// in a Pod, whatever list they are in.
    /// </summary>
    public string? OriginalImageKey => CanBeKept ? Field.AnnotationPrefix + Name : null;
}
