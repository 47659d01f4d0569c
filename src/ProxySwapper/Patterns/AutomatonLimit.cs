using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>
/// Limits the automata that are in memory at the same time: as many as fit twice below the chart's memory limit, since a reload compiles
/// new ones beside those in use.
/// </summary>
internal sealed class AutomatonLimit
{
    private const int MaximumCount = 20;
    private const int MaximumSize = 1_500;

    private readonly HashSet<string> _patterns = new(StringComparer.Ordinal);
    private int _size;

    /// <summary>Whether there are too many.</summary>
    public bool IsExceeded { get; private set; }

    /// <summary>Counts a regular expression, and returns what is wrong with the first one that is too much.</summary>
    /// <param name="pattern">It as written.</param>
    /// <param name="regex">It compiled.</param>
    public string? Add(string pattern, Regex regex)
    {
        if (IsExceeded || !SafeRegex.IsAutomaton(regex) || !_patterns.Add($"{regex}"))
            return null;
        _size += SafeRegex.SizeOf(pattern);
        if (_patterns.Count <= MaximumCount && _size <= MaximumSize)
            return null;
        IsExceeded = true;
        return $"at most {MaximumCount} different regular expressions, of {MaximumSize} characters together, can need an automaton, which "
            + "takes 1 MiB of memory or more. None is needed if what repeats ends at a character that it does not match, as in '[^/]+/' "
            + "instead of '.+/', and no group repeats";
    }
}
