using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;

namespace ProxySwapper.Management;

/// <summary>
/// One JSON object per line: <c>time</c> (UTC), <c>level</c> (as <c>logLevel</c> spells it), <c>message</c>, <c>logger</c>, the values in
/// the message by their names, and <c>exception</c>. The message is written once, without its template.
/// </summary>
/// <param name="withTraces">Whether exceptions are written with their stack traces.</param>
internal sealed class JsonLogFormatter(bool withTraces) : ITextFormatter
{
    private static readonly JsonValueFormatter Values = new(typeTagName: null);

    /// <summary>Writes the message as the text format does: strings without quotes.</summary>
    private static readonly MessageTemplateTextFormatter Message = new("{Message:lj}", CultureInfo.InvariantCulture);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        output.Write("{\"time\":\"");
        output.Write(logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        output.Write("\",\"level\":\"");
        output.Write(NameOf(logEvent.Level));
        output.Write('"');
        Write(output, "message", MessageOf(logEvent));
        foreach (var (name, value) in logEvent.Properties)
        {
            if (name == "EventId")
                continue;
            output.Write(',');
            JsonValueFormatter.WriteQuotedJsonString(name == "SourceContext" ? "logger" : name, output);
            output.Write(':');
            Values.Format(value, output);
        }
        if (logEvent.TraceId is { } trace)
            Write(output, "trace", trace.ToHexString());
        if (logEvent.Exception is { } exception)
            Write(output, "exception", withTraces ? exception.ToString() : ExceptionText.Describe(exception));
        output.WriteLine('}');
    }

    private static string MessageOf(LogEvent logEvent)
    {
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        Message.Format(logEvent, message);
        return message.ToString();
    }

    private static void Write(TextWriter output, string name, string value)
    {
        output.Write($",\"{name}\":");
        JsonValueFormatter.WriteQuotedJsonString(value, output);
    }

    private static string NameOf(LogEventLevel level) =>
        level switch
        {
            LogEventLevel.Verbose => "trace",
            LogEventLevel.Debug => "debug",
            LogEventLevel.Information => "info",
            LogEventLevel.Warning => "warn",
            _ => "error",
        };
}
