using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace ProxySwapper.Tests.Management;

[TestFixture]
internal sealed class ProgramLoggingTests
{
    /// <summary>The framework creates a span for each request if this category is logged at any level, even only critical.</summary>
    [TestCase(LogLevel.Trace)]
    [TestCase(LogLevel.Warning)]
    public void Requests_have_no_span_of_the_framework(LogLevel minimum)
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddProgramLogging(minimum, LogFormat.Json));
        Assert.Multiple(() =>
        {
            Assert.That(loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics").IsEnabled(LogLevel.Critical), Is.False);
            Assert.That(loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").IsEnabled(LogLevel.Critical), Is.True);
        });
    }

    [Test]
    public void A_line_has_a_time_a_level_and_one_message()
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        using var log = new LoggerConfiguration().WriteTo.Sink(new Lines(written)).CreateLogger();
        log.ForContext("SourceContext", "ProxySwapper.Admission")
            .ForContext("EventId", 3)
            .Warning("In {Namespace}: {Count} images\n of {Registry}", "shop", 2, "a \"registry\"");
        var line = JsonNode.Parse(written.ToString())!.AsObject();
        Assert.That(
            line.Select(member => member.Key),
            Is.EqualTo(["time", "level", "message", "Namespace", "Count", "Registry", "logger"])
        );
        Assert.That(DateTimeOffset.Parse($"{line["time"]}", CultureInfo.InvariantCulture).Offset, Is.EqualTo(TimeSpan.Zero));
        Assert.That(
            ($"{line["level"]}", $"{line["message"]}", (int)line["Count"]!, $"{line["logger"]}"),
            Is.EqualTo(("warn", "In \"shop\": 2 images\n of \"a \\\"registry\\\"\"", 2, "ProxySwapper.Admission"))
        );
        Assert.That(written.ToString().TrimEnd('\n'), Does.Not.Contain("\n"));
    }

    [TestCase(LogEventLevel.Verbose, "trace")]
    [TestCase(LogEventLevel.Debug, "debug")]
    [TestCase(LogEventLevel.Information, "info")]
    [TestCase(LogEventLevel.Error, "error")]
    [TestCase(LogEventLevel.Fatal, "error")]
    public void Levels_are_spelled_as_in_the_configuration(LogEventLevel level, string name)
    {
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        using (var log = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(new Lines(written)).CreateLogger())
            log.Write(level, new InvalidOperationException("why"), "Something");
        var line = JsonNode.Parse(written.ToString())!;
        Assert.That(($"{line["level"]}", $"{line["exception"]}"), Is.EqualTo((name, "System.InvalidOperationException: why")));
    }

    private sealed class Lines(TextWriter output) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => new JsonLogFormatter().Format(logEvent, output);
    }
}
