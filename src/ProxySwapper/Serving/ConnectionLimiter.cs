using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using ProxySwapper.Admission;

namespace ProxySwapper.Serving;

/// <summary>
/// Limits the connections of a port and the requests on them. A new connection is always accepted: at the limit, the most idle one is
/// closed for it, starting with addresses that hold many and with connections that have not sent a valid request.
/// </summary>
/// <param name="maximumConnections">The maximum number of connections.</param>
/// <param name="time">The clock.</param>
/// <param name="closed">Counts closed connections.</param>
internal sealed class ConnectionLimiter(int maximumConnections, TimeProvider time, Counter<long> closed)
{
    /// <summary>Requests in progress that a connection may always have; one that has more may be closed.</summary>
    private const int FairRequests = 4;

    /// <summary>
    /// Requests in progress beyond which the busiest connection is closed; there is always one with more than its fair part. Valid ones
    /// that a policy makes wait do not count: their clients cannot help it.
    /// </summary>
    private readonly int _maximumRequests = FairRequests * maximumConnections;

    private const string TooManyConnections = "too many connections";
    private const string TooManyRequests = "too many requests";

    /// <summary>Why connections are closed.</summary>
    public static readonly string[] Reasons = [TooManyConnections, TooManyRequests];

    /// <summary>How long a new connection may take for its handshake and first request before it loses priority.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly HashSet<LimitedConnection> _connections = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];
    private int _requests;

    /// <summary>Connection middleware.</summary>
    public async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new LimitedConnection(context, time.GetTimestamp());
        context.Features.Set(connection);
        context.Features.Set(new ReviewWait(() => BeginWait(connection), () => EndWait(connection)));
        Close(Add(connection), TooManyConnections);
        try
        {
            await next(context);
        }
        finally
        {
            lock (_gate)
                Remove(connection);
        }
    }

    /// <summary>Counts a request until its client has read the response.</summary>
    public void BeginRequest(HttpContext context)
    {
        if (context.Features.Get<LimitedConnection>() is not { } connection)
            return;
        context.Response.OnCompleted(EndRequestAsync, context);
        if (connection.TryBegin() && Interlocked.Increment(ref _requests) > _maximumRequests)
            Close(RemoveBusiest(), TooManyRequests);
    }

    /// <summary>Ends a request; a valid one protects its connection.</summary>
    private Task EndRequestAsync(object state)
    {
        var context = (HttpContext)state;
        var connection = context.Features.Get<LimitedConnection>()!;
        if (connection.TryEnd())
            Interlocked.Decrement(ref _requests);
        if (context.Response.StatusCode == StatusCodes.Status200OK)
            connection.MarkUsed(time.GetTimestamp());
        return Task.CompletedTask;
    }

    private void BeginWait(LimitedConnection connection)
    {
        // The review is valid, although its response takes a while.
        connection.MarkUsed(time.GetTimestamp());
        if (connection.TryBeginWait())
            Interlocked.Decrement(ref _requests);
    }

    private void EndWait(LimitedConnection connection)
    {
        if (connection.TryEndWait())
            Interlocked.Increment(ref _requests);
    }

    /// <summary>Adds a connection; returns the one to close for it, or null.</summary>
    private LimitedConnection? Add(LimitedConnection connection)
    {
        lock (_gate)
        {
            var victim = _connections.Count < maximumConnections ? null : FindVictim();
            if (victim is not null)
                Remove(victim);
            _connections.Add(connection);
            _addresses[connection.Address] = _addresses.GetValueOrDefault(connection.Address) + 1;
            return victim;
        }
    }

    /// <summary>
    /// New connections keep a quarter of the places: clients that hold the others with valid requests lose the one that they used least
    /// lately.
    /// </summary>
    private LimitedConnection? FindVictim()
    {
        var isCrowded = _connections.Count(connection => connection.IsProven) > maximumConnections / 4 * 3;
        var stages = _connections.Where(IsStarting).CountBy(connection => connection.Stage).ToDictionary();
        return _connections
            .Where(connection => connection.IsProven || !isCrowded)
            .MinBy(connection => UrgencyOf(connection, stages.GetValueOrDefault(connection.Stage)));
    }

    /// <summary>
    /// Of the address with the most requests, first one without a valid request so far: many API servers may have sent theirs at once, but
    /// whoever has sent a valid one may hold the others.
    /// </summary>
    private LimitedConnection? RemoveBusiest()
    {
        lock (_gate)
        {
            var ofAddress = _connections
                .AggregateBy(connection => connection.Address, 0, (sum, connection) => sum + connection.Requests)
                .ToDictionary();
            var victim = _connections
                .Where(connection => connection.Requests > FairRequests)
                .MaxBy(connection => (ofAddress[connection.Address], !connection.IsProven, connection.Requests));
            if (victim is not null)
                Remove(victim);
            return victim;
        }
    }

    private void Remove(LimitedConnection connection)
    {
        if (!_connections.Remove(connection))
            return;
        Interlocked.Add(ref _requests, -connection.TakeRequests());
        if (--_addresses[connection.Address] == 0)
            _addresses.Remove(connection.Address);
    }

    /// <summary>
    /// The lowest is closed first. Of connections that have only just come, that is the oldest at the stage where most of them are: however
    /// many of one kind arrive, a client that does something else continues.
    /// </summary>
    private (bool IsAlone, bool IsProven, bool IsNew, int Rank, long LastUse) UrgencyOf(LimitedConnection connection, int sameStage) =>
        (
            _addresses[connection.Address] <= maximumConnections / 4,
            connection.IsProven,
            IsNew(connection),
            IsStarting(connection) ? -sameStage
            : connection.IsBusy ? 1
            : 0,
            connection.LastUse
        );

    private bool IsNew(LimitedConnection connection) => time.GetElapsedTime(connection.LastUse) < Grace;

    private bool IsStarting(LimitedConnection connection) => !connection.IsProven && IsNew(connection);

    private void Close(LimitedConnection? connection, string reason)
    {
        if (connection is null)
            return;
        closed.Add(1, new KeyValuePair<string, object?>("reason", reason));
        connection.Close(reason);
    }
}

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
