namespace ProxySwapper.Testing.Inputs;

/// <summary>How a command may end, whatever its input: with 0, 1 or 2, and with words that its user understands.</summary>
internal static class Sentences
{
    /// <summary>What is wrong with how a command has ended, or null.</summary>
    /// <param name="exitCode">Its exit code.</param>
    /// <param name="text">All that it has printed.</param>
    public static string? WrongIn(int exitCode, string text) =>
        exitCode is < 0 or > 2 ? $"exit code {exitCode}"
        : exitCode != 0 && string.IsNullOrWhiteSpace(text) ? $"exit code {exitCode} without a message"
        : text.Contains("   at ", StringComparison.Ordinal) || text.Contains("nhandled exception", StringComparison.Ordinal)
            ? "a stack trace"
        : text.Contains("internal error", StringComparison.Ordinal) ? "a bug"
        : null;
}
