using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Mirroring;

/// <summary>Shows the progress of a run, as lines or a live table. Called from many threads.</summary>
internal interface IMirrorOutput
{
    /// <summary>A copy starts; the result receives the progress of its blobs.</summary>
    IProgress<CopyProgress> Started(MirrorTask task);

    /// <summary>A tag, or a whole image, is finished.</summary>
    void Finished(MirrorResult result);

    /// <summary>A message for the user, such as a wait imposed by a registry.</summary>
    void Note(string message);
}
