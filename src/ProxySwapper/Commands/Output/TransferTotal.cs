using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Commands.Output;

/// <summary>
/// Sums up what one copy transfers: bytes done, bytes in total, the rate and the remaining time. Blobs that are present or mounted are not
/// counted. Thread-safe.
/// </summary>
internal sealed class TransferTotal(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, (long Done, long Size)> _blobs = [];
    private long? _startedAt;

    /// <summary>Bytes transferred.</summary>
    public long Done { get; private set; }

    /// <summary>Bytes to transfer, as far as known.</summary>
    public long Size { get; private set; }

    public void Add(CopyProgress progress)
    {
        lock (_gate)
        {
            var before = _blobs.GetValueOrDefault(progress.Blob.Digest);
            var after = progress.Step switch
            {
                CopyStep.Present or CopyStep.Mounted => default,
                CopyStep.Copied => (Done: progress.Blob.Size, progress.Blob.Size),
                _ => (Done: progress.Bytes, progress.Blob.Size),
            };
            _blobs[progress.Blob.Digest] = after;
            (Done, Size) = (Done + after.Done - before.Done, Size + after.Size - before.Size);
            if (progress.Step is CopyStep.Transferring or CopyStep.Copied)
                _startedAt ??= time.GetTimestamp();
        }
    }

    /// <summary>For instance <c>42 MiB of 150 MiB (28%), 12.3 MiB/s, 9 s left</c>; null before the first byte.</summary>
    public string? Describe()
    {
        lock (_gate)
        {
            if (_startedAt is not { } start || Size == 0)
                return null;
            var text = $"{ByteSize.Format(Done)} of {ByteSize.Format(Size)} ({Done * 100 / Size}%)";
            var seconds = time.GetElapsedTime(start).TotalSeconds;
            if (Done == 0 || seconds <= 0)
                return text;
            var rate = Done / seconds;
            var left = TimeSpan.FromSeconds((Size - Done) / rate);
            return $"{text}, {ByteSize.Format((long)rate)}/s, {DurationFormat.Format(left)} left";
        }
    }
}
