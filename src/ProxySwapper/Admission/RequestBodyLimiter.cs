using System.IO.Pipelines;

namespace ProxySwapper.Admission;

/// <summary>
/// Bounds the memory that incomplete request bodies hold. Small and large ones have a share each, so that slow large ones harm only
/// themselves. Where a share is full its oldest body is evicted: API servers send a body at once.
/// </summary>
internal sealed class RequestBodyLimiter
{
    /// <summary>In bytes; most reviews are a tenth of it.</summary>
    public const int MaximumSmallSize = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly BodyShare _small = new(24 * 1024 * 1024);

    // One body of the largest size, and a little more.
    private readonly BodyShare _large = new(24 * 1024 * 1024);

    /// <summary>Takes note of a body whose bytes are to come.</summary>
    /// <param name="pipe">Where they come; a read that waits there is cancelled when the body is evicted.</param>
    public IncompleteBody Add(PipeReader pipe)
    {
        var body = new IncompleteBody(pipe);
        lock (_gate)
            _small.Add(body);
        return body;
    }

    /// <summary>Says how many bytes of a body are there now.</summary>
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
            while (share.IsOverfull)
                (evicted ??= []).Add(share.RemoveOldest());
        }
        // Outside of the lock, since what waits for the read may go on within this call.
        evicted?.ForEach(oldest => oldest.End(BodyEnd.Evicted));
    }

    /// <summary>The body is complete, or nobody waits for it any longer.</summary>
    public void Remove(IncompleteBody body)
    {
        lock (_gate)
            body.Share?.Remove(body);
    }
}

/// <summary>Bodies that share memory, the oldest first. Not for several threads.</summary>
internal sealed class BodyShare(long maximum)
{
    private readonly LinkedList<IncompleteBody> _bodies = [];
    private long _held;

    public bool IsOverfull => _held > maximum;

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

/// <summary>A request body that has not arrived as a whole.</summary>
internal sealed class IncompleteBody
{
    private readonly PipeReader _pipe;

    public IncompleteBody(PipeReader pipe)
    {
        _pipe = pipe;
        Node = new(this);
    }

    /// <summary>Where it is counted; null once it is not.</summary>
    public BodyShare? Share { get; set; }

    public LinkedListNode<IncompleteBody> Node { get; }

    /// <summary>How many bytes are there.</summary>
    public long Size { get; set; }

    /// <summary>Why it is not waited for any longer, or null.</summary>
    public BodyEnd? Reason { get; private set; }

    /// <summary>Ends the wait for it.</summary>
    public void End(BodyEnd reason)
    {
        Reason = reason;
        _pipe.CancelPendingRead();
    }
}

/// <summary>Why a body is not waited for any longer.</summary>
internal enum BodyEnd
{
    /// <summary>It took too long.</summary>
    Late,

    /// <summary>Others needed its room.</summary>
    Evicted,
}
