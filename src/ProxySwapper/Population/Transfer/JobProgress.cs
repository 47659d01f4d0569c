using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// Sums up the progress of one attempt's blobs. The first bytes show that both registries respond and how much there is to copy: an image
/// too large for now is requeued before it costs anything.
/// </summary>
internal sealed class JobProgress(PopulationJob job, PopulationQueue queue, Action makeWay) : IProgress<CopyProgress>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, long> _sent = [];
    private long _total;
    private long _done;
    private bool _isAlive;

    public void Report(CopyProgress value)
    {
        bool isFirst;
        long total;
        lock (_gate)
        {
            Add(value);
            total = _total;
            queue.ReportBytes(job, _done, total);
            if (value.Step != CopyStep.Transferring)
                return;
            isFirst = !_isAlive;
            _isAlive = true;
        }
        if (isFirst)
            queue.ReportProgress(job);
        if (!queue.TryReserveLargeTransfer(job, total))
            makeWay();
    }

    private void Add(CopyProgress value)
    {
        var size = value.Blob.Size;
        switch (value.Step)
        {
            case CopyStep.Planned:
                if (_sent.TryAdd(value.Blob.Digest, 0))
                    _total += size;
                break;
            case CopyStep.Present or CopyStep.Mounted:
                if (_sent.Remove(value.Blob.Digest))
                    _total -= size;
                break;
            default:
                if (_sent.TryAdd(value.Blob.Digest, 0))
                    _total += size;
                var sent = value.Step == CopyStep.Copied ? size : value.Bytes;
                // A blob that is restarted after a failure counts once.
                _done += sent - _sent[value.Blob.Digest];
                _sent[value.Blob.Digest] = sent;
                break;
        }
    }
}
