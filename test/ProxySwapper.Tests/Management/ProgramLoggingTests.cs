using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace ProxySwapper.Tests.Management;

[TestFixture, NonParallelizable]
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
            Is.EqualTo(("warn", "In shop: 2 images\n of a \"registry\"", 2, "ProxySwapper.Admission"))
        );
        Assert.That(written.ToString().TrimEnd('\n'), Does.Not.Contain("\n"));
    }

    [TestCase(LogFormat.Text)]
    [TestCase(LogFormat.Json)]
    public void The_message_is_the_same_in_both_formats(LogFormat format)
    {
        var log = LoggerMessage.Define<string, int, double, string?, DateTimeOffset, RegistryName>(
            LogLevel.Information,
            new EventId(1),
            "{Text} {Count} {Share:0.0} {Nothing} {At:u} {Registry}"
        );
        var line = Write(
            LogLevel.Information,
            format,
            loggers => log(loggers.CreateLogger("A"), "a \"text\"", 1, 2.25, null, DateTimeOffset.UnixEpoch, RegistryName.DockerHub, null)
        );
        var message = format == LogFormat.Json ? (string?)JsonNode.Parse(line)!["message"] : line.TrimEnd().Split(" A: ")[1];
        Assert.That(message, Is.EqualTo("a \"text\" 1 2.3 null 1970-01-01 00:00:00Z docker.io"));
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

    /// <summary>Of the framework's errors as of ours; only who looks for a bug gets the trace.</summary>
    [TestCase(LogLevel.Information, LogFormat.Text, false)]
    [TestCase(LogLevel.Information, LogFormat.Json, false)]
    [TestCase(LogLevel.Error, LogFormat.Text, false)]
    [TestCase(LogLevel.Debug, LogFormat.Text, true)]
    [TestCase(LogLevel.Trace, LogFormat.Json, true)]
    public void An_exception_is_logged_in_one_line_without_its_trace(LogLevel minimum, LogFormat format, bool hasTrace)
    {
        var written = Write(
            minimum,
            format,
            loggers =>
            {
                foreach (var category in new[] { "ProxySwapper.Management", "Microsoft.Extensions.Hosting.Internal.Host" })
                    Log(loggers, category, LogLevel.Error, "Background work failed", Thrown());
            }
        );
        var lines = written.TrimEnd().Split('\n');
        Assert.That(written, Does.Contain("System.InvalidOperationException: why not").And.Contain("System.IO.IOException: the disk"));
        Assert.That(written.Contains("   at ", StringComparison.Ordinal), Is.EqualTo(hasTrace), written);
        Assert.That(lines, hasTrace && format == LogFormat.Text ? Has.Length.GreaterThan(2) : Has.Length.EqualTo(2), written);
    }

    [Test]
    public void A_text_line_ends_with_what_caused_it_and_has_nothing_more_without_an_exception()
    {
        var written = Write(
            LogLevel.Information,
            LogFormat.Text,
            loggers =>
            {
                Log(loggers, "A", LogLevel.Warning, "First", new IOException("two\r\nlines"));
                Log(loggers, "A", LogLevel.Warning, "Second");
            }
        );
        Assert.That(
            written.TrimEnd().Split('\n').Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].TrimEnd()),
            Is.EqualTo(["WRN A: First: System.IO.IOException: two lines", "WRN A: Second"])
        );
    }

    /// <summary>The host throws what keeps it from starting, and the command reports it; other services are cancelled then.</summary>
    [TestCase("HostedServiceStartupFaulted", false, true)]
    [TestCase("BackgroundServiceFaulted", true, true)]
    [TestCase("BackgroundServiceStoppingHost", true, true)]
    [TestCase("BackgroundServiceFaulted", false, false)]
    [TestCase("BackgroundServiceStoppingHost", false, false)]
    public void What_the_host_throws_is_not_logged_too(string name, bool isCancelled, bool isIgnored)
    {
        var exception = isCancelled ? new TaskCanceledException() : (Exception)Thrown();
        var written = Write(
            LogLevel.Information,
            LogFormat.Text,
            loggers =>
                Log(loggers, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Error, "It failed", exception, new EventId(11, name))
        );
        Assert.That(written, isIgnored ? Is.Empty : Does.EndWith(" It failed: " + ExceptionText.Describe(Thrown()) + "\n"));
    }

    [Test]
    public void The_causes_of_an_exception_are_bounded_and_never_contain_a_trace()
    {
        var deep = new InvalidOperationException("the last");
        for (var depth = 0; depth < 1000; depth++)
            deep = new InvalidOperationException($"{depth}", deep);
        var nested = new AggregateException(new FormatException($"a parser failed: {Thrown()}"));
        Assert.Multiple(() =>
        {
            Assert.That(ExceptionText.Describe(deep).Split("; caused by "), Has.Length.EqualTo(8));
            Assert.That(ExceptionText.Describe(new IOException(new string('x', 100_000))), Has.Length.LessThan(2_100));
            Assert.That(
                ExceptionText.Describe(nested),
                Is.EqualTo(
                    "System.FormatException: a parser failed: System.InvalidOperationException: why not "
                        + "---> System.IO.IOException: the disk"
                )
            );
        });
    }

    /// <summary>Times as ISO 8601 has them, durations with units, and values as the configuration spells them.</summary>
    [Test]
    public void Log_messages_have_no_times_and_enum_members_in_the_format_of_dotnet()
    {
        var found = Messages().ToList();
        var wrong = found.Where(message =>
            message.Parameter.ParameterType == typeof(DateTimeOffset)
                && !message.Message.Contains($"{{{message.Parameter.Name}:u}}", StringComparison.OrdinalIgnoreCase)
            || message is { Level: >= LogLevel.Information, Parameter.ParameterType.IsEnum: true }
            || (Nullable.GetUnderlyingType(message.Parameter.ParameterType) ?? message.Parameter.ParameterType) == typeof(TimeSpan)
        );
        Assert.That(wrong.Select(message => $"{message.Name}: {message.Message}"), Is.Empty);
        Assert.That(
            found,
            Has.Some.Matches<(string, LogLevel, string, ParameterInfo Parameter)>(message =>
                message.Parameter.ParameterType == typeof(DateTimeOffset)
            )
        );
    }

    /// <summary>"rules: 1", since "1 rules" would be wrong; units of measurement have no singular.</summary>
    [Test]
    public void Log_messages_have_no_plural_after_a_count() =>
        Assert.That(
            Messages()
                .Where(message => message.Parameter.ParameterType == typeof(int) || message.Parameter.ParameterType == typeof(long))
                .Where(message =>
                    Regex.IsMatch(
                        message.Message,
                        $@"\{{{message.Parameter.Name}\}} (?!ms\b|bytes\b)([a-z]+ )?[A-Za-z]+s\b",
                        RegexOptions.IgnoreCase
                    )
                )
                .Select(message => $"{message.Name}: {message.Message}"),
            Is.Empty
        );

    private static IEnumerable<(string Name, LogLevel Level, string Message, ParameterInfo Parameter)> Messages()
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return from type in typeof(ProgramLogging).Assembly.GetTypes().Concat(typeof(RegistryName).Assembly.GetTypes())
            from method in type.GetMethods(all | BindingFlags.DeclaredOnly)
            let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
            where attribute is not null
            from parameter in method.GetParameters()
            select (Name: $"{type}.{method.Name}", attribute.Level, attribute.Message, Parameter: parameter);
    }

    private static InvalidOperationException Thrown()
    {
        try
        {
            throw new InvalidOperationException("why not", new IOException("the disk"));
        }
        catch (InvalidOperationException exception)
        {
            return exception;
        }
    }

    private static void Log(
        ILoggerFactory loggers,
        string category,
        LogLevel level,
        string message,
        Exception? exception = null,
        EventId id = default
    ) => loggers.CreateLogger(category).Log(level, id, message, exception, (text, _) => text);

    /// <summary>What the program's log writes to the console.</summary>
    private static string Write(LogLevel minimum, LogFormat format, Action<ILoggerFactory> log)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var written = new StringWriter(CultureInfo.InvariantCulture);
        Console.SetOut(written);
        Console.SetError(written);
        try
        {
            using var loggers = LoggerFactory.Create(logging => logging.AddProgramLogging(minimum, format));
            log(loggers);
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
        return written.ToString();
    }

    private sealed class Lines(TextWriter output) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => new JsonLogFormatter(withTraces: false).Format(logEvent, output);
    }
}
