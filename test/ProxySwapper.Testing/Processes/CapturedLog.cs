using Microsoft.Extensions.Logging;

namespace ProxySwapper.Testing.Processes;

/// <summary>Keeps every logged line, of all levels.</summary>
internal sealed class CapturedLog : ILoggerFactory, ILogger
{
    private readonly Lock _gate = new();
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_gate)
                return [.. _lines];
        }
    }

    /// <summary>All lines as one text, exceptions included.</summary>
    public string Text => string.Join('\n', Lines.Select(line => line.Text));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        ArgumentNullException.ThrowIfNull(formatter);
        lock (_gate)
            _lines.Add((logLevel, $"{formatter(state, exception)} {exception}".TrimEnd()));
    }

    public void Dispose() { }
}
