namespace ProxySwapper.Registry.Copying;

/// <summary>One copy among those of a run; others wait for its blobs as long as it makes progress.</summary>
/// <param name="tracker">The shared state of the run.</param>
/// <param name="sequence">Its position; copies only wait for earlier ones, so that no two wait for each other.</param>
/// <param name="time">The clock.</param>
internal sealed class CopySession(BlobTracker tracker, long sequence, TimeProvider time)
{
    /// <summary>Longer than a request with its retries; a copy without progress for this long is not waited for.</summary>
    public static readonly TimeSpan StallLimit = TimeSpan.FromMinutes(3);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _sequence = sequence;
    private long _seen = time.GetTimestamp();

    /// <summary>Completes with the copy: its blobs then belong to a committed manifest, or it failed.</summary>
    public Task Ended => _ended.Task;

    public bool IsStalled => Left <= TimeSpan.Zero;

    private TimeSpan Left => StallLimit - time.GetElapsedTime(Volatile.Read(ref _seen));

    /// <inheritdoc cref="BlobTracker.Track"/>
    public TrackedBlob Track(RegistryName source, RegistryName target, Digest digest) => tracker.Track(source, target, digest);

    /// <summary>Whether the other copy started earlier.</summary>
    public bool IsAfter(CopySession other) => other._sequence < _sequence;

    /// <summary>Reports progress.</summary>
    public void Touch() => Volatile.Write(ref _seen, time.GetTimestamp());

    public void End() => _ended.TrySetResult();

    /// <summary>
    /// Waits until another copy has made a step or has stalled. A copy waiting for one that makes progress is not stalled.
    /// </summary>
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
