using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>
/// Limits the automata that are in memory at the same time: as many as fit twice below the chart's memory limit, since a reload compiles
/// new ones beside those in use.
/// </summary>
internal sealed class AutomatonLimit
{
    private const int MaximumCount = 30;
    private const int MaximumSize = 2_000;

    private readonly HashSet<string> _patterns = new(StringComparer.Ordinal);
    private int _size;
    private bool _isReported;

    /// <summary>Counts a regular expression, and returns what is wrong with the first one that is too much.</summary>
    public string? Add(Regex regex)
    {
        if (_isReported || !SafeRegex.IsAutomaton(regex) || !_patterns.Add($"{regex}"))
            return null;
        _size += SafeRegex.SizeOf($"{regex}");
        if (_patterns.Count <= MaximumCount && _size <= MaximumSize)
            return null;
        _isReported = true;
        return $"at most {MaximumCount} regular expressions, with {MaximumSize} characters together, can be such that backtracking could "
            + "take many steps, since each of them takes about 0.8 MiB of memory: let what repeats end at a character that it does not "
            + "match, such as '[^/]+/' for '.+/', or use fewer";
    }
}
