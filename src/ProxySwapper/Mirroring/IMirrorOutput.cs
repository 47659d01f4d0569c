using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Mirroring;

/// <summary>Where a run tells what it does: lines, or a live table. Called from many threads.</summary>
internal interface IMirrorOutput
{
    /// <summary>A copy starts; what it gives is told of its blobs.</summary>
    IProgress<CopyProgress> Started(MirrorTask task);

    /// <summary>A tag, or an image without one, is settled.</summary>
    void Finished(MirrorResult result);

    /// <summary>Something that a person should know now, for instance that a registry makes us wait.</summary>
    void Note(string message);
}
