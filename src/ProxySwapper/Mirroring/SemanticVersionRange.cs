using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Version ranges: comparisons (<c>=</c>, <c>!=</c>, <c>&gt;</c>, <c>&gt;=</c>, <c>&lt;</c>, <c>&lt;=</c>), <c>~1.2</c> (that minor),
/// <c>^1.2</c> (that major, or that minor below 1), <c>1.2.x</c>, <c>1.2 - 1.4</c>, several joined by a comma or a space, alternatives by
/// <c>||</c>. Numbers missing in a comparison are wildcards as in Masterminds/semver: <c>&lt;=1.2</c> includes all of 1.2.
/// </summary>
internal sealed class SemanticVersionRange
{
    private static readonly SearchValues<char> OperatorCharacters = SearchValues.Create("=!<>~^");

    private readonly string _text;
    private readonly IReadOnlyList<IReadOnlyList<Predicate<SemanticVersion>>> _alternatives;

    /// <summary>Where parts of the range may begin: each is its lowest version.</summary>
    private readonly IReadOnlyList<SemanticVersion> _starts;

    private SemanticVersionRange(
        string text,
        IReadOnlyList<IReadOnlyList<Predicate<SemanticVersion>>> alternatives,
        IReadOnlyList<SemanticVersion> starts
    ) => (_text, _alternatives, _starts) = (text, alternatives, starts);

    public bool IsMatch(SemanticVersion version) => _alternatives.Any(all => all.All(takes => takes(version)));

    /// <summary>Whether a version can be in both ranges: then the lowest of them is where a part of one of the two begins.</summary>
    public bool MayOverlap(SemanticVersionRange other) =>
        _starts.Concat(other._starts).Any(version => IsMatch(version) && other.IsMatch(version));

    public override string ToString() => _text;

    public static bool TryParse(string text, [NotNullWhen(true)] out SemanticVersionRange? range)
    {
        range = null;
        var alternatives = new List<IReadOnlyList<Predicate<SemanticVersion>>>();
        var starts = new List<SemanticVersion> { Parse("0.0.0-0") };
        foreach (var alternative in text.Split("||"))
        {
            var words = JoinOperators(alternative.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
            if (words is null or [])
                return false;
            var all = new List<Predicate<SemanticVersion>>();
            foreach (var word in words)
            {
                if (Comparison(word, starts) is not { } takes)
                    return false;
                all.Add(takes);
            }
            alternatives.Add(all);
        }
        range = new SemanticVersionRange(text, alternatives, starts);
        return true;
    }

    /// <summary>Joins an operator and its version separated by a space, and converts a hyphen range to bounds.</summary>
    private static List<string>? JoinOperators(string[] words)
    {
        var joined = new List<string>();
        for (var index = 0; index < words.Length; index++)
        {
            if (words[index] == "-")
            {
                if (joined.Count == 0 || index + 1 == words.Length)
                    return null;
                joined[^1] = ">=" + joined[^1];
                joined.Add("<=" + words[++index]);
            }
            else if (words[index].AsSpan().ContainsAnyExcept(OperatorCharacters))
            {
                joined.Add(words[index]);
            }
            else
            {
                if (index + 1 == words.Length)
                    return null;
                joined.Add(words[index] + words[++index]);
            }
        }
        return joined;
    }

    private static Predicate<SemanticVersion>? Comparison(string word, List<SemanticVersion> starts)
    {
        var start = word.AsSpan().IndexOfAnyExcept(OperatorCharacters);
        if (start < 0 || Bounds(word[start..], out var low, out var parts) is not { } next)
            return null;
        // The first version that is matched, and the first one after those that are not.
        starts.AddRange(low, low.Prerelease.Length > 0 ? Parse($"{low.Major}.{low.Minor}.{low.Patch}-{low.Prerelease}.0") : next(3));
        if (parts is 1 or 2)
            starts.Add(next(parts));
        // next(n) is the first version after all that share the first n numbers of the bound.
        bool Below(SemanticVersion version, int shared) => shared == 0 || version.CompareTo(next(shared)) < 0;
        return word[..start] switch
        {
            "" or "=" or "==" when parts == 3 => version => version.CompareTo(low) == 0,
            "" or "=" or "==" or "~" or "~>" when parts < 3 => version => version.CompareTo(low) >= 0 && Below(version, parts),
            "~" or "~>" => version => version.CompareTo(low) >= 0 && Below(version, 2),
            "^" => version => version.CompareTo(low) >= 0 && Below(version, Math.Min(parts, SignificantOf(low))),
            "!=" => version => parts == 3 ? version.CompareTo(low) != 0 : version.CompareTo(low) < 0 || !Below(version, parts),
            ">=" => version => version.CompareTo(low) >= 0,
            "<" => version => version.CompareTo(low) < 0,
            ">" => version => parts == 3 ? version.CompareTo(low) > 0 : !Below(version, parts),
            "<=" => version => parts == 3 ? version.CompareTo(low) <= 0 : Below(version, parts),
            _ => null,
        };
    }

    private static int SignificantOf(SemanticVersion low) =>
        low switch
        {
            { Major: > 0 } => 1,
            { Minor: > 0 } => 2,
            _ => 3,
        };

    private static Func<int, SemanticVersion>? Bounds(string text, out SemanticVersion low, out int parts)
    {
        low = null!;
        var core = text.Split('-', '+')[0];
        var numbers = core.Split('.');
        parts = numbers.TakeWhile(number => number is not ("x" or "X" or "*")).Count();
        if (numbers.Length > 3 || numbers.Skip(parts).Any(number => number is not ("x" or "X" or "*")))
            return null;
        if (parts < numbers.Length && core.Length != text.Length)
            return null;
        var plain =
            parts == 0 ? "0"
            : parts < numbers.Length ? string.Join('.', numbers.Take(parts))
            : text;
        if (!SemanticVersion.TryParse(plain, out var parsed))
            return null;
        low = parsed;
        return shared =>
            Parse(
                shared switch
                {
                    1 => $"{parsed.Major + 1}.0.0-0",
                    2 => $"{parsed.Major}.{parsed.Minor + 1}.0-0",
                    _ => $"{parsed.Major}.{parsed.Minor}.{parsed.Patch + 1}-0",
                }
            );
    }

    private static SemanticVersion Parse(string text) =>
        SemanticVersion.TryParse(text, out var version) ? version : throw new FormatException($"'{text}' is not a valid version");
}
