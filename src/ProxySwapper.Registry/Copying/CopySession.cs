namespace ProxySwapper.Registry.Copying;

/// <summary>One copy of an image among those of a run; others wait for what it does as long as it shows life.</summary>
/// <param name="sequence">Its place; copies wait for earlier ones alone, so that no two wait for each other.</param>
/// <param name="time">The clock.</param>
internal sealed class CopySession(long sequence, TimeProvider time)
{
    /// <summary>Longer than a request may take with its retries; a copy that does nothing for so long is not waited for.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(3);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _seen = time.GetTimestamp();

    public long Sequence => sequence;

    /// <summary>Ends when the copy did: then its blobs belong to a committed manifest, or it failed.</summary>
    public Task Ended => _ended.Task;

    public bool IsStalled => Left <= TimeSpan.Zero;

    private TimeSpan Left => LongestSilence - time.GetElapsedTime(Volatile.Read(ref _seen));

    public void Touch() => Volatile.Write(ref _seen, time.GetTimestamp());

    public void End() => _ended.TrySetResult();

    /// <summary>Waits until another copy has done something, or has fallen silent. Who waits for the living lives.</summary>
    public async Task WaitAsync(CopySession other, Task step, CancellationToken cancellationToken)
    {
        while (!step.IsCompleted && !other.IsStalled)
        {
            try
            {
                await step.WaitAsync(LongestSilence / 4, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                Volatile.Write(ref _seen, Math.Max(Volatile.Read(ref _seen), Volatile.Read(ref other._seen)));
            }
        }
    }
}
