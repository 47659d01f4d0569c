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

    /// <summary>
    /// Bytes of large responses that are not read, beyond which the connection with the most of them is closed. API servers read at once.
    /// </summary>
    private const long MaximumUnread = 24 * 1024 * 1024;

    private const string TooManyConnections = "too many connections";
    private const string TooManyRequests = "too many requests";
    private const string UnreadResponses = "unread responses";

    /// <summary>Why connections are closed.</summary>
    public static readonly string[] Reasons = [TooManyConnections, TooManyRequests, UnreadResponses];

    /// <summary>How long a new connection may take for its handshake and first request before it loses priority.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly HashSet<LimitedConnection> _connections = [];
    private readonly Dictionary<IPAddress, int> _addresses = [];
    private int _requests;
    private long _unread;

    /// <summary>Connection middleware.</summary>
    public async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new LimitedConnection(context, time.GetTimestamp());
        context.Features.Set(connection);
        context.Features.Set(new ReviewWait(() => BeginWait(connection), () => EndWait(connection)));
        context.Features.Set(new UnreadResponse(size => BeginResponse(connection, size), size => EndResponse(connection, size)));
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

    private void BeginResponse(LimitedConnection connection, int size)
    {
        if (connection.TryAddUnread(size) && Interlocked.Add(ref _unread, size) > MaximumUnread)
            Close(RemoveSlowest(), UnreadResponses);
    }

    private void EndResponse(LimitedConnection connection, int size)
    {
        if (connection.TryAddUnread(-size))
            Interlocked.Add(ref _unread, -size);
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

    /// <summary>The connection with the most bytes of unread responses, of the address with the most.</summary>
    private LimitedConnection? RemoveSlowest()
    {
        lock (_gate)
        {
            var ofAddress = _connections
                .AggregateBy(connection => connection.Address, 0L, (sum, connection) => sum + connection.Unread)
                .ToDictionary();
            var victim = _connections
                .Where(connection => connection.Unread > 0)
                .MaxBy(connection => (ofAddress[connection.Address], connection.Unread));
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
        Interlocked.Add(ref _unread, -connection.TakeUnread());
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
