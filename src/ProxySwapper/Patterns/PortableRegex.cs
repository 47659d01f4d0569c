namespace ProxySwapper.Patterns;

/// <summary>
/// A regular expression that means the same in .NET and in RE2 (<see href="https://github.com/google/re2/wiki/Syntax"/>), for the
/// characters that a reference can have. Syntax that only one of them supports, or that they interpret differently, is rejected by name.
/// </summary>
/// <param name="Alternatives">The alternatives separated by <c>|</c> at the top level.</param>
/// <param name="HasOptions">Whether an option such as <c>(?i)</c> changes what characters mean.</param>
internal sealed record PortableRegex(IReadOnlyList<IReadOnlyList<RegexPart>> Alternatives, bool HasOptions)
{
    /// <summary>Every character that a normalised reference can have.</summary>
    public const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:@[]";

    /// <summary>No reference is longer.</summary>
    public const int MaximumLength = 1024;

    /// <summary>RE2's limit on nested repetitions.</summary>
    public const int MaximumRepetition = 1000;

    /// <summary>The text that everything begins with that it matches; empty if that varies.</summary>
    public string LiteralStart =>
        HasOptions || Alternatives is not [var parts]
            ? ""
            : string.Concat(
                parts.SkipWhile(part => part is RegexAnchor { Source: "^" }).TakeWhile(IsCharacter).Select(part => ((RegexSet)part).Set)
            );

    /// <summary>A character, escaped for a regular expression.</summary>
    public static string Escape(char character) =>
        @"\.+*?()|[]{}^$".Contains(character, StringComparison.Ordinal) ? $@"\{character}" : $"{character}";

    private static bool IsCharacter(RegexPart part) =>
        part is RegexSet { Set.Length: 1, MatchesOthers: false, Repetition: { Minimum: 1, Maximum: 1 } };
}

/// <summary>One part of a sequence.</summary>
/// <param name="Source">Its source text, with its quantifier.</param>
/// <param name="Repetition">How often it repeats.</param>
internal abstract record RegexPart(string Source, RegexRepetition Repetition)
{
    /// <summary>How many copies RE2 makes of its content.</summary>
    public virtual int Copies => Repetition.Copies;
}

/// <summary>One character of a set.</summary>
/// <param name="Source">Its source text, with its quantifier.</param>
/// <param name="Repetition">How often it repeats.</param>
/// <param name="Set">The characters of <see cref="PortableRegex.Characters"/> that it contains.</param>
/// <param name="MatchesOthers">Whether it may contain characters that no reference has.</param>
internal sealed record RegexSet(string Source, RegexRepetition Repetition, string Set, bool MatchesOthers) : RegexPart(Source, Repetition);

/// <summary>A group.</summary>
/// <param name="Source">Its source text, with its quantifier.</param>
/// <param name="Repetition">How often it repeats.</param>
/// <param name="Alternatives">The alternatives separated by <c>|</c>.</param>
/// <param name="IsCapturing">Whether a replacement can refer to it.</param>
/// <param name="Name">Its name, or null.</param>
internal sealed record RegexGroup(
    string Source,
    RegexRepetition Repetition,
    IReadOnlyList<IReadOnlyList<RegexPart>> Alternatives,
    bool IsCapturing,
    string? Name
) : RegexPart(Source, Repetition)
{
    public override int Copies => Repetition.Copies * CopiesInside(Alternatives);

    /// <summary>The largest number of copies of any part.</summary>
    public static int CopiesInside(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives) =>
        alternatives.SelectMany(parts => parts).Select(part => part.Copies).DefaultIfEmpty(1).Max();
}

/// <summary>A zero-width assertion: <c>^</c>, <c>$</c>, <c>\b</c>, <c>\B</c>, or an option such as <c>(?i)</c>.</summary>
/// <param name="Source">Its source text.</param>
internal sealed record RegexAnchor(string Source) : RegexPart(Source, RegexRepetition.Once);

/// <summary>How often a part repeats.</summary>
/// <param name="Minimum">At least.</param>
/// <param name="Maximum">At most; <see cref="int.MaxValue"/> is unlimited.</param>
/// <param name="IsLazy">Prefers few repetitions over many.</param>
internal readonly record struct RegexRepetition(int Minimum, int Maximum, bool IsLazy)
{
    public static RegexRepetition Once { get; } = new(1, 1, false);

    public bool IsFixed => Minimum == Maximum;

    /// <summary>How many copies RE2 makes of the repeated part.</summary>
    public int Copies => Math.Max(1, Maximum == int.MaxValue ? Minimum : Maximum);
}
