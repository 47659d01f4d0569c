using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
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
    public void A_client_that_says_something_outlasts_many_that_say_nothing()
    {
        Open("greeted", 0).MarkGreeted();
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

    private LimitedConnection Open(string name, int address)
    {
        var context = new ClosingConnection(name, _closed)
        {
            RemoteEndPoint = new IPEndPoint(new IPAddress([10, 0, (byte)(address / 256), (byte)(address % 256)]), 1000),
        };
        _ = _limiter.RunAsync(context, _ => new TaskCompletionSource().Task);
        return context.Features.Get<LimitedConnection>()!;
    }

    private sealed class ClosingConnection(string name, List<string> closed) : DefaultConnectionContext
    {
        public override void Abort(ConnectionAbortedException abortReason) => closed.Add(name);
    }
}
