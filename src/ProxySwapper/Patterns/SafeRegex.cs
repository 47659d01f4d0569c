using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>
/// Regular expressions from configuration files: matched in time linear in the text, limited in length. Where backtracking is certain to
/// take few steps, it is used, which takes some KiB. An automaton takes 1 MiB or so and some milliseconds to compile, so equal ones
/// that are in use are shared: by the checks of a configuration, and by a reload with what is replaced.
/// </summary>
internal static partial class SafeRegex
{
    private const int MaximumLength = 4000;
    private const int MaximumShared = 1000;

    /// <summary>An automaton of many different classes of characters takes up to 20 KiB for each character of its pattern.</summary>
    private const int MaximumAutomaton = 1000;

    private static readonly ConcurrentDictionary<string, WeakReference<Regex>> InUse = new(StringComparer.Ordinal);

    /// <summary>Compiles the pattern, or returns null and what is wrong with it.</summary>
    public static Regex? Compile(string pattern, out string? fault) => Compile(pattern, pattern, out fault);

    /// <summary>The pattern anchored to whole texts, so that <c>docker.io</c> does not match inside another name.</summary>
    /// <remarks>
    /// It must be valid by itself: <c>a)|(?:b</c> would close our group, and match texts that only begin or end like that.
    /// </remarks>
    public static Regex? CompileAnchored(string pattern, out string? fault) => Compile(pattern, $"^(?:{pattern})$", out fault);

    /// <summary>Whether it is matched by an automaton, which takes much memory.</summary>
    public static bool IsAutomaton(Regex regex) => regex.Options.HasFlag(RegexOptions.NonBacktracking);

    /// <summary>A pattern's length; of characters beyond ASCII, which make an automaton larger, that of an escape such as \u00e9.</summary>
    public static int SizeOf(string pattern) => pattern.Sum(character => char.IsAscii(character) ? 1 : 6);

    private static Regex? Compile(string pattern, string whole, out string? fault)
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
        Regex? alone = null;
        try
        {
            // Parsed by itself, which is cheap without compiling it.
            alone = new Regex(pattern, RegexOptions.CultureInvariant);
            var isAnchored = pattern.Length < whole.Length;
            if (BacktrackingBound.IsSmall(pattern, isAnchored))
                return isAnchored ? new Regex(whole, RegexOptions.CultureInvariant) : alone;
            if (SizeOf(pattern) <= MaximumAutomaton)
                return Automaton(whole);
            fault =
                $"must be at most {MaximumAutomaton} characters long, since it needs an automaton. None is needed if what repeats ends at "
                + "a character that it does not match, as in '[^/]+/' instead of '.+/', and no group repeats";
            return null;
        }
        catch (NotSupportedException) when (alone is not null)
        {
            fault =
                "invalid regular expression: it cannot be matched in linear time, since it repeats too much, looks around or refers back";
            return null;
        }
        catch (ArgumentException exception)
        {
            fault = $"invalid regular expression: {exception.Message}";
            return null;
        }
    }

    private static Regex Automaton(string pattern)
    {
        if (InUse.TryGetValue(pattern, out var known) && known.TryGetTarget(out var regex))
            return regex;
        regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        if (InUse.Count >= MaximumShared)
            foreach (var (other, reference) in InUse)
                if (!reference.TryGetTarget(out _))
                    InUse.TryRemove(KeyValuePair.Create(other, reference));
        if (InUse.Count < MaximumShared)
            InUse[pattern] = new WeakReference<Regex>(regex);
        return regex;
    }

    [GeneratedRegex(@"\[:\^?[a-z]+:\]")]
    private static partial Regex PosixClass();
}
