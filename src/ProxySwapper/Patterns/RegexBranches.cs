using System.Text.RegularExpressions;

namespace ProxySwapper.Patterns;

/// <summary>The branches of a regular expression.</summary>
internal sealed class RegexBranches
{
    private const int Maximum = 64;
    private const int MaximumCopies = 4;

    /// <summary>In all branches: those of all rules are in memory at the same time.</summary>
    private const int MaximumSymbols = 10_000;

    private static readonly RegexBranch Nothing = new([], new Dictionary<int, Range?>());

    private readonly Dictionary<RegexGroup, int> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(string Set, int Minimum, int Maximum), RegexSymbol> _symbols = [];
    private readonly bool _ignoresCase;

    private RegexBranches(PortableRegex regex, Regex compiled)
    {
        _ignoresCase = regex.HasOptions;
        var unnamed = 0;
        foreach (var group in GroupsOf(regex.Alternatives).Where(group => group.IsCapturing))
            _numbers[group] = group.Name is { } name ? compiled.GroupNumberFromName(name) : ++unnamed;
        All = Expand(regex.Alternatives);
        // They refer to the whole expression.
        _numbers.Clear();
    }

    /// <summary>At most 64 branches, of those that match texts that are as short as references.</summary>
    public IReadOnlyList<RegexBranch> All { get; }

    /// <summary>False if there are more branches.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Splits an expression.</summary>
    /// <param name="regex">The expression.</param>
    /// <param name="compiled">The same, which knows the numbers of named groups.</param>
    public static RegexBranches Of(PortableRegex regex, Regex compiled) => new(regex, compiled);

    private static IEnumerable<RegexGroup> GroupsOf(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives) =>
        alternatives.SelectMany(parts => parts).OfType<RegexGroup>().SelectMany(group => GroupsOf(group.Alternatives).Prepend(group));

    private List<RegexBranch> Expand(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives) =>
        Limited(
            alternatives.SelectMany(parts => parts.Aggregate((List<RegexBranch>)[Nothing], (before, part) => Join(before, Expand(part))))
        );

    private List<RegexBranch> Expand(RegexPart part) =>
        part switch
        {
            RegexSet set => Expand(set),
            RegexGroup group => Expand(group),
            _ => [Nothing],
        };

    private List<RegexBranch> Expand(RegexSet set)
    {
        var characters = _ignoresCase ? string.Concat(set.Set.SelectMany(InBothCases).Distinct()) : set.Set;
        var (minimum, maximum, _) = set.Repetition;
        if (characters.Length == 0 || maximum == 0)
            return minimum == 0 ? [Nothing] : [];
        IEnumerable<RegexSymbol> symbols =
            set.Repetition.IsFixed && minimum <= MaximumCopies
                ? Enumerable.Repeat(SymbolOf(characters, 1, 1), minimum)
                : [SymbolOf(characters, minimum, maximum)];
        return [Nothing with { Symbols = [.. symbols] }];
    }

    private RegexSymbol SymbolOf(string characters, int minimum, int maximum)
    {
        if (!_symbols.TryGetValue((characters, minimum, maximum), out var symbol))
            _symbols[(characters, minimum, maximum)] = symbol = RegexSymbol.Of(characters, minimum, maximum);
        return symbol;
    }

    private List<RegexBranch> Expand(RegexGroup group)
    {
        var (minimum, maximum, _) = group.Repetition;
        var content = Expand(group.Alternatives);
        if (group.Repetition.IsFixed && minimum <= MaximumCopies)
            return Enumerable.Repeat(Captured(content, group), minimum).Aggregate((List<RegexBranch>)[Nothing], Join);
        return maximum == 1 ? Limited(Captured(content, group).Append(Nothing)) : [Repeated(content, group)];
    }

    private List<RegexBranch> Captured(List<RegexBranch> branches, RegexGroup group) =>
        _numbers.TryGetValue(group, out var number)
            ? branches.ConvertAll(branch => branch with { Groups = With(branch.Groups, number, ..branch.Symbols.Count) })
            : branches;

    /// <summary>Copies of a group's content in one symbol; which of them the groups inside capture is not known.</summary>
    private RegexBranch Repeated(List<RegexBranch> content, RegexGroup group)
    {
        var set = string.Concat(content.SelectMany(branch => branch.Symbols).SelectMany(symbol => symbol.Set).Distinct());
        var copies = content.Take(MaximumCopies).SelectMany(branch => branch.Samples().Take(1)).ToList();
        var samples = copies.Concat(copies.Select(copy => copy + copy)).Append("").Distinct(StringComparer.Ordinal);
        var groups = GroupsOf([
                [group],
            ])
            .Where(inner => inner.IsCapturing);
        return new([new(set, 0, int.MaxValue, [.. samples])], groups.ToDictionary(inner => _numbers[inner], _ => (Range?)null));
    }

    private List<RegexBranch> Join(List<RegexBranch> before, List<RegexBranch> after) =>
        Limited(before.SelectMany(one => after.Select(other => Join(one, other))));

    private static RegexBranch Join(RegexBranch before, RegexBranch after)
    {
        var (groups, start) = (before.Groups, before.Symbols.Count);
        foreach (var (number, range) in after.Groups)
            groups = With(groups, number, range is { } known ? (known.Start.Value + start)..(known.End.Value + start) : null);
        return new([.. before.Symbols, .. after.Symbols], groups);
    }

    private static Dictionary<int, Range?> With(IReadOnlyDictionary<int, Range?> groups, int number, Range? range) =>
        new(groups) { [number] = range };

    private List<RegexBranch> Limited(IEnumerable<RegexBranch> branches)
    {
        var (limited, symbols) = (new List<RegexBranch>(), 0);
        foreach (var branch in branches.Where(branch => branch.MinimumLength <= PortableRegex.MaximumLength))
        {
            symbols += branch.Symbols.Count;
            if (limited.Count == Maximum || symbols > MaximumSymbols)
            {
                IsComplete = false;
                break;
            }
            limited.Add(branch);
        }
        return limited;
    }

    private static IEnumerable<char> InBothCases(char character) => [char.ToLowerInvariant(character), char.ToUpperInvariant(character)];
}
