using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>Regular expressions that people write in files: matched in time linear to the text, bounded in length.</summary>
internal static partial class SafeRegex
{
    private const int MaximumLength = 4000;

    /// <summary>The pattern compiled, or null with what is wrong with it.</summary>
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
            fault = $"has {posix.Value}, which means something else here than in Go; write the characters out, such as [0-9a-z]";
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

    /// <summary>The pattern, made to take whole texts only, so that <c>docker.io</c> is not found inside another name.</summary>
    public static Regex? CompileWhole(string pattern, out string? fault) => Compile($"^(?:{pattern})$", out fault);

    [GeneratedRegex(@"\[:\^?[a-z]+:\]")]
    private static partial Regex PosixClass();
}
