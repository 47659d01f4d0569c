namespace ProxySwapper.Management;

/// <summary>
/// An exception as one line for a log or a terminal: the type and message of each cause. The stack trace is left out; it is for whoever
/// sets <c>logLevel: debug</c>.
/// </summary>
internal static class ExceptionText
{
    /// <summary>More causes than this are left out, as are further characters of each message.</summary>
    private const int MaximumCauses = 8;

    private const int MaximumLength = 2_000;

    /// <summary>Describes an exception and what caused it, such as <c>System.IO.IOException: why; caused by …</c>.</summary>
    public static string Describe(Exception exception) => string.Join("; caused by ", CausesOf(exception).Take(MaximumCauses).Select(One));

    private static IEnumerable<Exception> CausesOf(Exception exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
            // Its own message only repeats those of its causes; the others are the same fault in most cases.
            if (cause is not AggregateException { InnerException: not null })
                yield return cause;
    }

    private static string One(Exception cause)
    {
        // Some libraries put another exception into a message, with its trace.
        var lines = cause.Message.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Length > 0 && !IsFrame(line));
        var message = string.Join(' ', lines);
        return $"{cause.GetType()}: {(message.Length > MaximumLength ? message[..MaximumLength] + "…" : message)}";
    }

    /// <summary>Whether a line is one of a stack trace: <c>at Namespace.Type.Method(…)</c>, or a separator between two traces.</summary>
    private static bool IsFrame(string line) =>
        line.StartsWith("--- End of ", StringComparison.Ordinal)
        || (
            line.StartsWith("at ", StringComparison.Ordinal)
            && line.Contains('(', StringComparison.Ordinal)
            && line.Contains('.', StringComparison.Ordinal)
        );
}
