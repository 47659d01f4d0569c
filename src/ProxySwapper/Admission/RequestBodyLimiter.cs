namespace ProxySwapper.Admission;

/// <summary>The bytes that bodies under way may hold together: many slow ones must not take the memory of the process.</summary>
/// <param name="maximum">How many bytes there are to hold.</param>
internal sealed class RequestBodyLimiter(long maximum)
{
    private long _left = maximum;

    /// <summary>Takes bytes; false, and nothing is taken, when there are not as many left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _left, -bytes) >= 0)
            return true;
        Return(bytes);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _left, bytes);
}
