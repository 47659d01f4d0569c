namespace ProxySwapper.Patterns;

/// <summary>
/// How many steps a backtracking matcher takes for the rest of an expression, at most, in a text of <see cref="TextLength"/> characters.
/// </summary>
/// <param name="Steps">The steps, whatever the text.</param>
/// <param name="StepsToFail">The steps, if the next character is none of <paramref name="First"/>.</param>
/// <param name="First">
/// The characters that the rest can begin with: a bit for each that a reference can have, and the lowest one for all others together.
/// </param>
internal sealed record BacktrackingBound(double Steps, double StepsToFail, UInt128 First)
{
    /// <summary>Of which few images have more, and none four times as many.</summary>
    private const int TextLength = 300;

    /// <summary>Some hundredths of a millisecond.</summary>
    private const double Maximum = 5_000;

    /// <summary>So many alternatives are compared, and so many parts of them.</summary>
    private const int MaximumCompared = 300;

    private static readonly BacktrackingBound End = new(1, 1, UInt128.Zero);

    /// <summary>Whether it is certain that backtracking takes few steps.</summary>
    /// <param name="pattern">A valid expression.</param>
    /// <param name="isAnchored">Whether it is only tried at the start of a text.</param>
    public static bool IsSmall(string pattern, bool isAnchored) =>
        PortableRegexReader.TryRead(pattern, out var regex, out _)
        && !regex.HasOptions
        && Before(regex.Alternatives, End) is { } bound
        && bound.Steps * (isAnchored ? 1 : TextLength) <= Maximum;

    /// <summary>The bound of alternatives, each of them with what follows all; null if there is none.</summary>
    private static BacktrackingBound? Before(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives, BacktrackingBound rest)
    {
        var sum = new BacktrackingBound(0, 0, UInt128.Zero);
        var most = 0.0;
        foreach (var parts in alternatives)
        {
            var bound = rest;
            foreach (var part in parts.Reverse())
            {
                if (Before(part, bound) is not { } longer)
                    return null;
                bound = longer;
            }
            (sum, most) = (sum + bound, Math.Max(most, bound.Steps));
        }
        if (alternatives.Count is 1 or > MaximumCompared)
            return sum;
        // The others fail within what they start with.
        var starts = alternatives.Select(StartOf).ToList();
        var steps = starts.Sum(start => start.Count + 1) + most * starts.Max(start => starts.Count(other => MayMatchSame(start, other)));
        return sum with { Steps = Math.Min(sum.Steps, steps) };
    }

    /// <summary>The sets that all texts start with that a sequence matches.</summary>
    private static List<UInt128> StartOf(IReadOnlyList<RegexPart> parts)
    {
        var start = new List<UInt128>();
        foreach (var part in parts.Where(part => part is not RegexAnchor).Take(MaximumCompared))
        {
            if (part is not RegexSet { Repetition: { Minimum: > 0 and <= MaximumCompared and var minimum } repetition } set)
                break;
            start.AddRange(Enumerable.Repeat(CharactersOf(set), minimum));
            if (!repetition.IsFixed)
                break;
        }
        return start;
    }

    private static bool MayMatchSame(List<UInt128> one, List<UInt128> other)
    {
        for (var index = 0; index < Math.Min(one.Count, other.Count); index++)
            if ((one[index] & other[index]) == 0)
                return false;
        return true;
    }

    private static BacktrackingBound? Before(RegexPart part, BacktrackingBound rest) =>
        part switch
        {
            RegexSet { Repetition: { IsFixed: true, Minimum: > 0 and var count } } set => new(count + rest.Steps, 1, CharactersOf(set)),
            RegexSet { Repetition.IsFixed: false } set => BeforeRun(set, rest),
            RegexGroup { Repetition: { Minimum: 1, Maximum: 1 } } group => Before(group.Alternatives, rest),
            // Whether an optional group of no characters has captured them depends on the matcher.
            RegexGroup { Repetition: { Minimum: 0, Maximum: 1 } } group when !MayBeEmpty(group.Alternatives) => Before(
                group.Alternatives,
                rest
            )
                is { } taken
                ? taken + rest
                : null,
            RegexAnchor => rest with { Steps = rest.Steps + 1, StepsToFail = rest.StepsToFail + 1 },
            _ => null,
        };

    private static bool MayBeEmpty(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives) =>
        alternatives.Any(parts =>
            parts.All(part =>
                part is RegexAnchor || part.Repetition.Minimum == 0 || part is RegexGroup group && MayBeEmpty(group.Alternatives)
            )
        );

    private static BacktrackingBound BeforeRun(RegexSet set, BacktrackingBound rest)
    {
        var ((minimum, maximum, _), characters) = (set.Repetition, CharactersOf(set));
        var length = Math.Min(maximum, TextLength);
        // Inside the run, what follows fails at the next character; unless that can belong to both, only at its end it may go on.
        var steps =
            (characters & rest.First) == 0
                ? length * (1 + rest.StepsToFail) + rest.Steps
                : length + Math.Min(maximum - (double)minimum + 1, TextLength) * rest.Steps;
        return minimum > 0 ? new(steps, 1, characters) : new(steps, 1 + rest.StepsToFail, characters | rest.First);
    }

    private static UInt128 CharactersOf(RegexSet set) =>
        set.Set.Aggregate(set.MatchesOthers ? UInt128.One : UInt128.Zero, (bits, character) => bits | UInt128.One << character);

    public static BacktrackingBound operator +(BacktrackingBound one, BacktrackingBound other) =>
        new(one.Steps + other.Steps, one.StepsToFail + other.StepsToFail, one.First | other.First);
}
