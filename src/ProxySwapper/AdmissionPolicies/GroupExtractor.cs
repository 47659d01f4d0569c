using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Patterns;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// CEL has no capture groups. This finds what the groups of a regular expression would capture by cutting the text between the parts of the
/// expression, left to right, preferring the leftmost alternative and the longest (lazy: shortest) repetition as a matcher does. It works
/// if each cut can be found among few candidates; everything else is rejected.
/// </summary>
/// <remarks>The text is known to match the whole expression.</remarks>
internal sealed class GroupExtractor
{
    private readonly List<Piece> _pieces = [];

    // For each group number: its first piece and the one after its last.
    private readonly Dictionary<int, (int Start, int End)> _groups = [];
    private readonly HashSet<int> _used;
    private readonly IReadOnlyDictionary<string, int> _numbers;
    private int _unnamed;

    private GroupExtractor(HashSet<int> used, IReadOnlyDictionary<string, int> numbers) => (_used, _numbers) = (used, numbers);

    /// <summary>Generates the CEL for a replacement.</summary>
    /// <param name="regex">The expression.</param>
    /// <param name="numbers">The number of each named group.</param>
    /// <param name="replacement">The replacement.</param>
    /// <param name="result">The text, from <c>r.text</c>.</param>
    /// <param name="reason">Why it cannot be expressed.</param>
    public static bool TryExtract(
        PortableRegex regex,
        IReadOnlyDictionary<string, int> numbers,
        IReadOnlyList<ReplacementPart> replacement,
        out CelExpression result,
        [NotNullWhen(false)] out string? reason
    )
    {
        result = default;
        var cutter = new GroupExtractor([.. replacement.Where(part => part.Group > 0).Select(part => part.Group)], numbers);
        try
        {
            if (regex.HasOptions)
                throw new GroupNotExtractableException("an option such as (?i) beside groups that the replacement uses");
            cutter.Add(regex.Alternatives, isTop: true);
            result = cutter.Write(replacement);
            reason = null;
            return true;
        }
        catch (GroupNotExtractableException exception)
        {
            reason = exception.Message;
            return false;
        }
    }

    private void Add(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives, bool isTop)
    {
        if (alternatives is not [var parts])
            throw new GroupNotExtractableException("'|' outside of a group beside groups that the replacement uses");
        foreach (var (index, part) in parts.Index())
            switch (part)
            {
                case RegexAnchor { Source: "^" } when isTop && index == 0:
                case RegexAnchor { Source: "$" } when isTop && index == parts.Count - 1:
                    break;
                case RegexSet set:
                    _pieces.Add(PieceOf(set));
                    break;
                case RegexGroup group:
                    Add(group);
                    break;
                default:
                    throw new GroupNotExtractableException($"'{part.Source}' beside groups that the replacement uses");
            }
    }

    private void Add(RegexGroup group)
    {
        // Unnamed groups have the first numbers, in the order of their opening parentheses.
        var number =
            !group.IsCapturing ? 0
            : group.Name is { } name ? _numbers[name]
            : ++_unnamed;
        var start = _pieces.Count;
        if (group.Repetition == RegexRepetition.Once && group.Alternatives is [_])
            Add(group.Alternatives, isTop: false);
        else if (Captures(group).Any(_used.Contains))
            throw new GroupNotExtractableException($"a group that the replacement uses inside of '{group.Source}'");
        else
            _pieces.Add(PieceOf(group));
        if (group.Repetition == RegexRepetition.Once)
            _groups[number] = (start, _pieces.Count);
        else if (_used.Contains(number))
            throw new GroupNotExtractableException($"'{group.Source}', a repeated group that the replacement uses");
    }

    /// <summary>The numbers of the nested groups, counting them along the way.</summary>
    private List<int> Captures(RegexGroup group)
    {
        var numbers = new List<int>();
        foreach (var inner in group.Alternatives.SelectMany(parts => parts).OfType<RegexGroup>())
        {
            if (inner.IsCapturing)
                numbers.Add(inner.Name is { } name ? _numbers[name] : ++_unnamed);
            numbers.AddRange(Captures(inner));
        }
        return numbers;
    }

    private static Piece PieceOf(RegexSet set) =>
        set.Repetition.IsFixed
            ? new FixedPiece(set.Source, set.Repetition.Minimum, set.Repetition.Minimum > 0 ? set.Set : "")
            : new RepeatedPiece(set.Source, set);

    private static ChoicePiece PieceOf(RegexGroup group)
    {
        var lengths = group.Alternatives.Select(LengthOf).ToList();
        if (group.Repetition != RegexRepetition.Once || lengths.Contains(null))
            throw new GroupNotExtractableException(
                $"'{group.Source}', whose length is not that of one of its alternatives, beside groups that the replacement uses"
            );
        return new ChoicePiece(
            group.Source,
            [.. group.Alternatives.Select((parts, index) => (string.Concat(parts.Select(part => part.Source)), lengths[index]!.Value))]
        );
    }

    private static int? LengthOf(IReadOnlyList<RegexPart> parts)
    {
        var length = 0;
        foreach (var part in parts)
        {
            if (part is not RegexSet set || !set.Repetition.IsFixed)
                return null;
            length += set.Repetition.Minimum;
        }
        return length;
    }

    private CelExpression Write(IReadOnlyList<ReplacementPart> replacement)
    {
        Merge();
        var steps = new List<string>();
        var cost = CelCost.OfSubstring();
        for (var index = 0; index < Borders.DefaultIfEmpty(0).Max() && index < _pieces.Count - 1; index++)
        {
            var (length, costs) = PieceLength.LengthOf(_pieces, index);
            var before = string.Concat(Enumerable.Range(0, index).Select(piece => $"p[{piece}], "));
            steps.Add($"\n      .map(p, [{length}].map(n, [{before}p[{index}].substring(0, n), p[{index}].substring(n)])[0])");
            cost += costs + CelCost.OfSubstring();
        }
        return steps switch
        {
            [] => new(Join(replacement, _ => "r.text"), cost),
            // The usual case: a fixed length, then the rest.
            [_] when _pieces is [FixedPiece first, _] => new(
                Join(replacement, piece => piece == 0 ? $"r.text.substring(0, {first.Length})" : $"r.text.substring({first.Length})"),
                cost
            ),
            _ => new($"[[r.text]]{string.Concat(steps)}\n      .map(p, {Join(replacement, piece => $"p[{piece}]")})[0]", cost),
        };
    }

    private string Join(IReadOnlyList<ReplacementPart> replacement, Func<int, string> nameOf) =>
        string.Join(
            " + ",
            replacement.SelectMany(part =>
            {
                if (part.Group < 0)
                    return [CelText.Quote(part.Text)];
                if (part.Group == 0)
                    return ["r.text"];
                var (start, end) = _groups[part.Group];
                return Enumerable.Range(start, end - start).Select(nameOf);
            })
        );

    /// <summary>Where groups used by the replacement begin and end.</summary>
    private IEnumerable<int> Borders => _used.SelectMany(number => new[] { _groups[number].Start, _groups[number].End });

    /// <summary>Merges adjacent pieces of fixed length with no group boundary between them.</summary>
    private void Merge()
    {
        for (var index = _pieces.Count - 1; index > 0; index--)
        {
            if (Borders.Contains(index) || _pieces[index] is not FixedPiece second || _pieces[index - 1] is not FixedPiece first)
                continue;
            _pieces[index - 1] = new FixedPiece(
                first.Source + second.Source,
                first.Length + second.Length,
                first.Length > 0 ? first.First : second.First
            );
            _pieces.RemoveAt(index);
            foreach (var (number, (start, end)) in _groups.ToList())
                _groups[number] = (start > index ? start - 1 : start, end > index ? end - 1 : end);
        }
    }
}

/// <summary>Why a group's position cannot be found.</summary>
internal sealed class GroupNotExtractableException(string message) : Exception(message);
