using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ProxySwapper.Serving;

/// <summary>A connection's state in a <see cref="ConnectionLimiter"/>; a feature of the connection and its requests.</summary>
/// <param name="context">The connection.</param>
/// <param name="opened">The timestamp of its opening.</param>
internal sealed class LimitedConnection(ConnectionContext context, long opened)
{
    /// <summary>Far below any number of requests, so that later ones are not counted.</summary>
    private const int Closed = int.MinValue / 2;

    private long _lastUse = opened;
    private int _requests;
    private volatile bool _isProven;

    public IPAddress Address { get; } = (context.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;

    /// <summary>True after a valid request.</summary>
    public bool IsProven => _isProven;

    /// <summary>The timestamp of its opening or of the end of its last valid request.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>Requests in progress.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public void MarkUsed(long now)
    {
        Volatile.Write(ref _lastUse, now);
        _isProven = true;
    }

    /// <summary>Counts a request; false if the connection is closed.</summary>
    public bool TryBegin() => Interlocked.Increment(ref _requests) > 0;

    /// <summary>Ends a request; false if it is no longer counted.</summary>
    public bool TryEnd() => Interlocked.Decrement(ref _requests) >= 0;

    /// <summary>Stops counting and returns the number of requests counted.</summary>
    public int TakeRequests() => Math.Max(0, Interlocked.Exchange(ref _requests, Closed));

    public void Close(string reason) => context.Abort(new ConnectionAbortedException(reason));
}
