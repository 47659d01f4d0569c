namespace ProxySwapper.Registry.Copying;

/// <summary>One copy of an image among those of a run; others wait for what it does as long as it makes progress.</summary>
/// <param name="tracker">What the copies of the run know.</param>
/// <param name="sequence">Its place; copies wait for earlier ones alone, so that no two wait for each other.</param>
/// <param name="time">The clock.</param>
internal sealed class CopySession(BlobTracker tracker, long sequence, TimeProvider time)
{
    /// <summary>Longer than a request may take with its retries; a copy that does nothing for so long is not waited for.</summary>
    public static readonly TimeSpan StallLimit = TimeSpan.FromMinutes(3);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _sequence = sequence;
    private long _seen = time.GetTimestamp();

    /// <summary>Ends when the copy did: then its blobs belong to a committed manifest, or it failed.</summary>
    public Task Ended => _ended.Task;

    public bool IsStalled => Left <= TimeSpan.Zero;

    private TimeSpan Left => StallLimit - time.GetElapsedTime(Volatile.Read(ref _seen));

    /// <summary>All that is known of a blob on a host.</summary>
    public TrackedBlob Track(string host, Digest digest) => tracker.Track(host, digest);

    /// <summary>The other one began earlier.</summary>
    public bool IsAfter(CopySession other) => other._sequence < _sequence;

    /// <summary>Says that the copy makes progress.</summary>
    public void Touch() => Volatile.Write(ref _seen, time.GetTimestamp());

    public void End() => _ended.TrySetResult();

    /// <summary>Waits until another copy has done a step, or has stalled. Who waits for one that makes progress has not stalled.</summary>
    public async Task WaitAsync(CopySession other, Task step, CancellationToken cancellationToken)
    {
        while (!step.IsCompleted && !other.IsStalled)
        {
            try
            {
                await step.WaitAsync(StallLimit / 4, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                Volatile.Write(ref _seen, Math.Max(Volatile.Read(ref _seen), Volatile.Read(ref other._seen)));
            }
        }
    }
}
