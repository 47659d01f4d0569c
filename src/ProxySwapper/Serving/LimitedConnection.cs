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
    private int _waiting;
    private long _unread;
    private volatile bool _isProven;
    private volatile ConnectionStage _handshake = ConnectionStage.Silent;

    public IPAddress Address { get; } = (context.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;

    /// <summary>True after a valid request.</summary>
    public bool IsProven => _isProven;

    /// <summary>The timestamp of its opening or of the end of its last valid request.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>Requests in progress, but for those that wait for a policy.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Whether any request is in progress.</summary>
    public bool IsBusy => Requests > 0 || Volatile.Read(ref _waiting) > 0;

    /// <summary>How far it has come.</summary>
    public ConnectionStage Stage => Requests > 0 ? ConnectionStage.Requesting : _handshake;

    /// <summary>Its TLS handshake has begun.</summary>
    public void MarkHandshaking() => _handshake = ConnectionStage.Handshaking;

    /// <summary>Its TLS handshake has ended.</summary>
    public void MarkSecured() => _handshake = ConnectionStage.Secured;

    public void MarkUsed(long now)
    {
        Volatile.Write(ref _lastUse, now);
        _isProven = true;
    }

    /// <summary>Counts a request; false if the connection is closed.</summary>
    public bool TryBegin() => Interlocked.Increment(ref _requests) > 0;

    /// <summary>Ends a request; false if it is no longer counted.</summary>
    public bool TryEnd() => Interlocked.Decrement(ref _requests) >= 0;

    /// <summary>A request in progress begins to wait for a policy; false if it was no longer counted.</summary>
    public bool TryBeginWait()
    {
        Interlocked.Increment(ref _waiting);
        return TryEnd();
    }

    /// <summary>It continues; false if the connection is closed.</summary>
    public bool TryEndWait()
    {
        Interlocked.Decrement(ref _waiting);
        return TryBegin();
    }

    /// <summary>Bytes of large responses that its client has not read.</summary>
    public long Unread => Volatile.Read(ref _unread);

    /// <summary>Counts bytes of a response; false if the connection is closed.</summary>
    public bool TryAddUnread(int size) => Interlocked.Add(ref _unread, size) >= 0;

    /// <summary>Stops counting and returns the number of bytes counted.</summary>
    public long TakeUnread() => Math.Max(0, Interlocked.Exchange(ref _unread, long.MinValue / 2));

    /// <summary>Stops counting and returns the number of requests counted.</summary>
    public int TakeRequests() => Math.Max(0, Interlocked.Exchange(ref _requests, Closed));

    public void Close(string reason) => context.Abort(new ConnectionAbortedException(reason));
}

/// <summary>What a connection has done.</summary>
internal enum ConnectionStage
{
    /// <summary>It has sent nothing.</summary>
    Silent,

    /// <summary>The first message of its TLS handshake has arrived.</summary>
    Handshaking,

    /// <summary>Its TLS handshake is complete.</summary>
    Secured,

    /// <summary>It has a request in progress.</summary>
    Requesting,
}
