using ProxySwapper.Mirroring;
using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Records the output of a run.</summary>
internal sealed class RecordingOutput : IMirrorOutput
{
    public System.Collections.Concurrent.ConcurrentQueue<string> Notes { get; } = new();

    public IProgress<CopyProgress> Started(MirrorTask task) => new Progress<CopyProgress>();

    public void Finished(MirrorResult result) { }

    public void Note(string message) => Notes.Enqueue(message);
}
