using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Admission;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Serving;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ConnectionLimiterTests : IDisposable
{
    private const int Maximum = 16;

    private readonly Meter _meter = new("test");
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _closed = [];
    private readonly Dictionary<LimitedConnection, ReviewWait> _waits = [];
    private readonly Dictionary<LimitedConnection, UnreadResponse> _unread = [];
    private readonly ConnectionLimiter _limiter;

    public ConnectionLimiterTests() => _limiter = new ConnectionLimiter(Maximum, _time, _meter.CreateCounter<long>("closed"));

    public void Dispose() => _meter.Dispose();

    [Test]
    public void An_idle_connection_is_closed_for_a_new_one()
    {
        for (var index = 0; index < Maximum; index++)
            Open($"{index}", address: index);
        _time.Advance(TimeSpan.FromMinutes(1));
        Open("new", 100);
        Assert.That(_closed, Is.EqualTo(["0"]));
    }

    [Test]
    public void Connections_with_valid_requests_outlast_those_without()
    {
        Open("good", 0).MarkUsed(_time.GetTimestamp());
        for (var index = 1; index < 5 * Maximum; index++)
            Open($"{index}", index);
        Assert.That(_closed, Does.Not.Contain("good"));
    }

    [Test]
    public void Connections_with_valid_requests_do_not_block_new_ones()
    {
        for (var index = 0; index < Maximum - 1; index++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Open($"good{index}", index).MarkUsed(_time.GetTimestamp());
        }
        Open("handshake", 100);
        Open("next", 101);
        Assert.That(_closed, Is.EqualTo(["good0"]), "the one used least lately, and not the one that has only just come");
    }

    [Test]
    public void A_client_that_sends_something_outlasts_many_that_send_nothing()
    {
        Open("greeted", 0).MarkHandshaking();
        Open("secured", 0).MarkSecured();
        Assert.That(Open("requesting", 0).TryBegin());
        for (var index = 0; index < 5 * Maximum; index++)
            Open($"{index}", 0);
        Assert.That(
            _closed,
            Has.Count.EqualTo((4 * Maximum) + 3).And.No.Member("greeted").And.No.Member("secured").And.No.Member("requesting")
        );
    }

    [Test]
    public void A_client_that_has_only_just_come_outlasts_many_with_open_requests()
    {
        for (var index = 0; index < Maximum; index++)
            Assert.That(Open($"{index}", 0).TryBegin());
        Open("new", 0);
        for (var index = Maximum; index < 5 * Maximum; index++)
            Assert.That(Open($"{index}", 0).TryBegin());
        Assert.That(_closed, Has.Count.EqualTo((4 * Maximum) + 1).And.No.Member("new"));
    }

    [Test]
    public void Connections_that_hold_many_requests_are_closed_for_others_also_after_a_valid_one()
    {
        for (var index = 0; index < 8; index++)
        {
            var connection = Open($"{index}", 0);
            connection.MarkUsed(_time.GetTimestamp());
            Send(connection, requests: 8);
        }
        Send(Open("new", 0), requests: 4);
        Assert.That(_closed, Has.Count.EqualTo(1).And.No.Member("new"));
    }

    [Test]
    public void A_connection_of_the_address_that_holds_the_most_requests_is_closed()
    {
        for (var index = 0; index < 8; index++)
        {
            var connection = Open($"{index}", 0);
            connection.MarkUsed(_time.GetTimestamp());
            Send(connection, requests: 7);
        }
        Send(Open("burst", 1), requests: 16);
        Assert.That(_closed, Is.Not.Empty.And.No.Member("burst"));
    }

    [Test]
    public void Reviews_that_wait_for_a_policy_are_not_the_fault_of_their_clients()
    {
        for (var index = 0; index < Maximum; index++)
        {
            var connection = Open($"{index}", 0);
            for (var request = 0; request < 100; request++)
                Send(connection, requests: 1).Features.Get<ReviewWait>()!.Begin();
        }
        Assert.That(_closed, Is.Empty);
    }

    [Test]
    public void A_connection_whose_valid_review_waits_outlasts_many_that_do_nothing()
    {
        Send(Open("waiting", 0), requests: 1).Features.Get<ReviewWait>()!.Begin();
        _time.Advance(TimeSpan.FromSeconds(3));
        for (var index = 0; index < 5 * Maximum; index++)
            Open($"{index}", 0);
        Assert.That(_closed, Does.Not.Contain("waiting"));
    }

    [Test]
    public void A_response_that_is_not_read_after_a_wait_counts_again()
    {
        for (var index = 0; index < Maximum; index++)
        {
            var connection = Open($"{index}", 0);
            for (var request = 0; request < 5; request++)
            {
                var wait = Send(connection, requests: 1).Features.Get<ReviewWait>()!;
                wait.Begin();
                wait.End();
            }
        }
        Assert.That(_closed, Is.Not.Empty);
    }

    /// <summary>An attacker reads nothing of patches for a thousand images; API servers read at once.</summary>
    [Test]
    public void The_connection_with_the_most_unread_responses_is_closed()
    {
        const int Size = 1024 * 1024;
        var (slow, hostile, other) = (Open("slow", 0), Open("hostile", 1), Open("other", 1));
        Respond(slow, 8, Size);
        Respond(other, 4, Size);
        Respond(hostile, 12, Size);
        Assert.That(_closed, Is.Empty, "24 MiB");
        Respond(other, 1, Size);
        Assert.That(_closed, Is.EqualTo(["hostile"]), "of the address with the most");
        Respond(slow, 11, Size);
        for (var response = 0; response < 12; response++)
            _unread[hostile].End(Size);
        for (var response = 0; response < 11; response++)
            _unread[slow].End(Size);
        Respond(slow, 11, Size);
        Assert.That(_closed, Has.Count.EqualTo(1), "what was read, or is closed, does not count");
    }

    private void Respond(LimitedConnection connection, int count, int size)
    {
        for (var response = 0; response < count; response++)
            _unread[connection].Begin(size);
    }

    private DefaultHttpContext Send(LimitedConnection connection, int requests)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(connection);
        context.Features.Set(_waits[connection]);
        for (var request = 0; request < requests; request++)
            _limiter.BeginRequest(context);
        return context;
    }

    private LimitedConnection Open(string name, int address)
    {
        var context = new ClosingConnection(name, _closed)
        {
            RemoteEndPoint = new IPEndPoint(new IPAddress([10, 0, (byte)(address / 256), (byte)(address % 256)]), 1000),
        };
        _ = _limiter.RunAsync(context, _ => new TaskCompletionSource().Task);
        var connection = context.Features.Get<LimitedConnection>()!;
        _waits[connection] = context.Features.Get<ReviewWait>()!;
        _unread[connection] = context.Features.Get<UnreadResponse>()!;
        return connection;
    }

    private sealed class ClosingConnection(string name, List<string> closed) : DefaultConnectionContext
    {
        public override void Abort(ConnectionAbortedException abortReason) => closed.Add(name);
    }
}
