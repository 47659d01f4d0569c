using ProxySwapper.Registry;

namespace ProxySwapper.Mirroring;

/// <summary>One tag that has to be moved, or looked at since it may have changed.</summary>
/// <param name="Image">The entry of the file.</param>
/// <param name="Tag">The tag.</param>
/// <param name="IsPresent">True when the destination has the tag, and it is replaced where the digests differ.</param>
internal sealed record MirrorTask(MirrorImage Image, string Tag, bool IsPresent)
{
    public ImageReference Source => Image.Source.WithTag(Tag);

    public ImageReference Destination => Image.Destination.WithTag(Tag);
}
