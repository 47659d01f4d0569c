using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Tests.Registry.Timing;

[TestFixture]
internal sealed class StallTimeoutTests
{
    /// <summary>Callers report the innermost message: it must be the limit, and not that a read was cancelled.</summary>
    [Test]
    public async Task A_read_that_stalls_ends_with_the_limit_as_its_reason()
    {
        var time = new FakeTimeProvider();
        using var stall = new StallTimeout(TimeSpan.FromSeconds(30), 0, time);
        var pipe = new Pipe();

        var read = stall.ReadAsync(pipe.Reader.AsStream(), new byte[10], CancellationToken.None).AsTask();
        time.Advance(TimeSpan.FromSeconds(30));

        var fault = Assert.ThrowsAsync<StalledStreamException>(() => read)!;
        Assert.That(fault.GetBaseException().Message, Is.EqualTo("less than 64 KiB transferred in 30 s"));
        await pipe.Writer.CompleteAsync();
    }

    [Test]
    public async Task A_stream_of_events_may_be_slow_but_not_silent()
    {
        var time = new FakeTimeProvider();
        using var stall = new StallTimeout(TimeSpan.FromSeconds(30), 0, time, enough: 1);
        var pipe = new Pipe();
        for (var read = 0; read < 3; read++)
        {
            var slow = ReadAsync();
            time.Advance(TimeSpan.FromSeconds(29));
            await pipe.Writer.WriteAsync(new byte[1]);
            Assert.That(await slow, Is.EqualTo(1));
        }
        var silent = ReadAsync();
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.That(() => silent, Throws.TypeOf<StalledStreamException>().With.Message.EqualTo("no data for 30 s"));
        await pipe.Writer.CompleteAsync();

        Task<int> ReadAsync() => stall.ReadAsync(pipe.Reader.AsStream(), new byte[10], CancellationToken.None).AsTask();
    }
}
