using ProxySwapper.Registry;

namespace ProxySwapper.Mirroring;

/// <summary>One tag to copy, or to check for changes.</summary>
/// <param name="Image">The entry of the file.</param>
/// <param name="Tag">The tag.</param>
/// <param name="IsPresent">True if the destination has the tag, which is replaced if the digests differ.</param>
internal sealed record MirrorTask(MirrorImage Image, string Tag, bool IsPresent)
{
    public ImageReference Source => Image.Source.WithTag(Tag);

    public ImageReference Destination => Image.Destination.WithTag(Tag);
}
