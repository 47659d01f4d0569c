using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>
/// Limits the memory held by incomplete request bodies. Small and large ones have separate budgets, so that slow large ones harm only
/// themselves. When a budget is exhausted, its oldest body is evicted: API servers send a body at once.
/// </summary>
internal sealed class RequestBodyLimiter
{
    /// <summary>In bytes; most reviews are a tenth of this.</summary>
    public const int MaximumSmallSize = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly BodyShare _small = new(24 * 1024 * 1024);

    // One body of the maximum size, and a little more.
    private readonly BodyShare _large = new(24 * 1024 * 1024);

    /// <summary>Registers a body that is about to arrive.</summary>
    /// <param name="pipe">The pipe it arrives on; its pending read is cancelled when the body is evicted.</param>
    public IncompleteBody Add(PipeReader pipe)
    {
        var body = new IncompleteBody(pipe);
        lock (_gate)
            _small.Add(body);
        return body;
    }

    /// <summary>Updates how many bytes of a body have arrived.</summary>
    public void Grow(IncompleteBody body, long size)
    {
        List<IncompleteBody>? evicted = null;
        lock (_gate)
        {
            if (body.Share is not { } share)
                return;
            if (share == _small && size > MaximumSmallSize)
            {
                share.Remove(body);
                (share = _large).Add(body);
            }
            share.Resize(body, size);
            while (share.IsOverLimit)
                (evicted ??= []).Add(share.RemoveOldest());
        }
        // Outside the lock, since the reader's continuation may run within this call.
        evicted?.ForEach(oldest => oldest.End(BodyEnd.Evicted));
    }

    /// <summary>Removes a body that is complete or no longer awaited.</summary>
    public void Remove(IncompleteBody body)
    {
        lock (_gate)
            body.Share?.Remove(body);
    }
}

/// <summary>Bodies that share a budget, oldest first. Not thread-safe.</summary>
internal sealed class BodyShare(long maximum)
{
    private readonly LinkedList<IncompleteBody> _bodies = [];
    private long _held;

    public bool IsOverLimit => _held > maximum;

    public void Add(IncompleteBody body)
    {
        body.Share = this;
        _bodies.AddLast(body.Node);
        _held += body.Size;
    }

    public void Resize(IncompleteBody body, long size)
    {
        _held += size - body.Size;
        body.Size = size;
    }

    public void Remove(IncompleteBody body)
    {
        body.Share = null;
        _bodies.Remove(body.Node);
        _held -= body.Size;
    }

    public IncompleteBody RemoveOldest()
    {
        var oldest = _bodies.First!.Value;
        Remove(oldest);
        return oldest;
    }
}

/// <summary>A request body that has not arrived completely.</summary>
internal sealed class IncompleteBody
{
    private readonly PipeReader _pipe;

    public IncompleteBody(PipeReader pipe)
    {
        _pipe = pipe;
        Node = new(this);
    }

    /// <summary>The budget it counts towards; null once removed.</summary>
    public BodyShare? Share { get; set; }

    public LinkedListNode<IncompleteBody> Node { get; }

    /// <summary>How many bytes have arrived.</summary>
    public long Size { get; set; }

    /// <summary>Why it is no longer awaited, or null.</summary>
    public BodyEnd? Reason { get; private set; }

    /// <summary>Stops waiting for it.</summary>
    public void End(BodyEnd reason)
    {
        Reason = reason;
        _pipe.CancelPendingRead();
    }
}

/// <summary>Why a body is no longer awaited.</summary>
internal enum BodyEnd
{
    /// <summary>It took too long.</summary>
    Late,

    /// <summary>It was evicted for newer bodies.</summary>
    Evicted,
}
