using Microsoft.Extensions.Logging;
using ProxySwapper.Management;

namespace ProxySwapper.Tests.Management;

public class ProgramLoggingTests
{
    /// <summary>The framework makes a span of each request while anything listens to this category, even for the gravest alone.</summary>
    [TestCase(LogLevel.Trace)]
    [TestCase(LogLevel.Warning)]
    public void Requests_have_no_span_of_the_framework(LogLevel minimum)
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddProgramLogging(minimum, isPerson: false));
        Assert.Multiple(() =>
        {
            Assert.That(loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics").IsEnabled(LogLevel.Critical), Is.False);
            Assert.That(loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").IsEnabled(LogLevel.Critical), Is.True);
        });
    }
}
