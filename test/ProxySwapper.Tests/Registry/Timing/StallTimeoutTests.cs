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

        var fault = Assert.ThrowsAsync<IOException>(() => read)!;
        Assert.That(fault.GetBaseException().Message, Is.EqualTo("less than 64 KiB transferred in 30 s"));
        await pipe.Writer.CompleteAsync();
    }
}
