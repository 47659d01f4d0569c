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
