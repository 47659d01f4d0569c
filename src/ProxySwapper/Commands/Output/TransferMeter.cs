using System.Collections.Concurrent;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Commands.Output;

/// <summary>Sums up the blobs of one copy: bytes to copy and bytes copied.</summary>
internal sealed class TransferMeter(Action<long, long>? changed) : IProgress<CopyProgress>
{
    private readonly ConcurrentDictionary<Digest, (long Done, long Size)> _blobs = new();

    public void Report(CopyProgress value)
    {
        var done = value.Step is CopyStep.Copied or CopyStep.Mounted or CopyStep.Present ? value.Blob.Size : value.Bytes;
        _blobs[value.Blob.Digest] = (done, value.Blob.Size);
        if (changed is null)
            return;
        var (sumDone, sumSize) = (0L, 0L);
        foreach (var (_, blob) in _blobs)
            (sumDone, sumSize) = (sumDone + blob.Done, sumSize + blob.Size);
        changed(sumDone, sumSize);
    }
}
