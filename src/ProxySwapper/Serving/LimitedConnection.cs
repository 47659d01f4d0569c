using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ProxySwapper.Serving;

/// <summary>What a <see cref="ConnectionLimiter"/> knows of a connection; a feature of it and of its requests.</summary>
/// <param name="context">The connection.</param>
/// <param name="opened">When it was opened, a timestamp.</param>
internal sealed class LimitedConnection(ConnectionContext context, long opened)
{
    /// <summary>Far below any number of requests, so that later ones are not counted.</summary>
    private const int Closed = int.MinValue / 2;

    private long _lastUse = opened;
    private int _requests;
    private volatile bool _isProven;

    public IPAddress Address { get; } = (context.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;

    /// <summary>It has brought a good request.</summary>
    public bool IsProven => _isProven;

    /// <summary>When it was opened or its last good request ended, a timestamp.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>Requests that have not ended.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public void MarkUsed(long now)
    {
        Volatile.Write(ref _lastUse, now);
        _isProven = true;
    }

    /// <summary>Counts a request; false when the connection is closed.</summary>
    public bool TryBegin() => Interlocked.Increment(ref _requests) > 0;

    /// <summary>Ends a request; false when it is not counted any longer.</summary>
    public bool TryEnd() => Interlocked.Decrement(ref _requests) >= 0;

    /// <summary>Stops counting; the requests that were counted.</summary>
    public int TakeRequests() => Math.Max(0, Interlocked.Exchange(ref _requests, Closed));

    public void Close(string reason) => context.Abort(new ConnectionAbortedException(reason));
}
