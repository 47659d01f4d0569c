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
        foreach (var parts in alternatives)
        {
            var bound = rest;
            foreach (var part in parts.Reverse())
            {
                if (Before(part, bound) is not { } longer)
                    return null;
                bound = longer;
            }
            sum += bound;
        }
        return sum;
    }

    private static BacktrackingBound? Before(RegexPart part, BacktrackingBound rest) =>
        part switch
        {
            RegexSet { Repetition: { IsFixed: true, Minimum: > 0 and var count } } set => new(count + rest.Steps, 1, CharactersOf(set)),
            RegexSet { Repetition.IsFixed: false } set => BeforeRun(set, rest),
            RegexGroup { Repetition: { Minimum: 1, Maximum: 1 } } group => Before(group.Alternatives, rest),
            RegexGroup { Repetition: { Minimum: 0, Maximum: 1 } } group => Before(group.Alternatives, rest) is { } taken
                ? taken + rest
                : null,
            RegexAnchor => rest with { Steps = rest.Steps + 1, StepsToFail = rest.StepsToFail + 1 },
            _ => null,
        };

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
