using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>Regular expressions from configuration files: matched in time linear in the text, limited in length.</summary>
internal static partial class SafeRegex
{
    private const int MaximumLength = 4000;

    /// <summary>Compiles the pattern, or returns null and what is wrong with it.</summary>
    public static Regex? Compile(string pattern, out string? fault)
    {
        fault = null;
        if (pattern.Length > MaximumLength)
        {
            fault = $"must be at most {MaximumLength} characters long";
            return null;
        }
        if (PosixClass().Match(pattern) is { Success: true } posix)
        {
            fault = $"contains {posix.Value}, which has a different meaning here than in Go; list the characters instead, such as [0-9a-z]";
            return null;
        }
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            fault = $"invalid regular expression: {exception.Message}";
            return null;
        }
    }

    /// <summary>The pattern anchored to whole texts, so that <c>docker.io</c> does not match inside another name.</summary>
    /// <remarks>
    /// It must be valid by itself: <c>a)|(?:b</c> would close our group, and match texts that only begin or end like that.
    /// </remarks>
    public static Regex? CompileAnchored(string pattern, out string? fault) =>
        Compile(pattern, out fault) is null ? null : Compile($"^(?:{pattern})$", out fault);

    [GeneratedRegex(@"\[:\^?[a-z]+:\]")]
    private static partial Regex PosixClass();
}
