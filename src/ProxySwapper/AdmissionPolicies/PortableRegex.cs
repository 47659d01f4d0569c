namespace ProxySwapper.AdmissionPolicies;

/// <summary>
/// A regular expression of which .NET and RE2 (<see href="https://github.com/google/re2/wiki/Syntax"/>) mean the same, over the characters
/// that a reference can have. What only one of them knows, or reads otherwise, is refused by name.
/// </summary>
/// <param name="Alternatives">What stands between the <c>|</c> outside of groups.</param>
/// <param name="HasOptions">Whether an option such as <c>(?i)</c> changes what characters mean.</param>
internal sealed record PortableRegex(IReadOnlyList<IReadOnlyList<RegexPart>> Alternatives, bool HasOptions)
{
    /// <summary>Every character that a normalised reference can have.</summary>
    public const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:@[]";

    /// <summary>RE2 counts repetitions in repetitions up to this.</summary>
    public const int MaximumRepetition = 1000;

    /// <summary>A character as a regular expression.</summary>
    public static string Escape(char character) =>
        @"\.+*?()|[]{}^$".Contains(character, StringComparison.Ordinal) ? $@"\{character}" : $"{character}";
}

/// <summary>One part of a sequence.</summary>
/// <param name="Source">How it is written, with its quantifier.</param>
/// <param name="Repetition">How often it comes.</param>
internal abstract record RegexPart(string Source, RegexRepetition Repetition)
{
    /// <summary>How many copies RE2 makes of what is inside.</summary>
    public virtual int Copies => Repetition.Copies;
}

/// <summary>One character of a set.</summary>
/// <param name="Source">How it is written, with its quantifier.</param>
/// <param name="Repetition">How often it comes.</param>
/// <param name="Set">The characters of <see cref="PortableRegex.Characters"/> that are in it.</param>
internal sealed record RegexSet(string Source, RegexRepetition Repetition, string Set) : RegexPart(Source, Repetition);

/// <summary>A group.</summary>
/// <param name="Source">How it is written, with its quantifier.</param>
/// <param name="Repetition">How often it comes.</param>
/// <param name="Alternatives">What stands between the <c>|</c>.</param>
/// <param name="IsCapturing">Whether a replacement can name what it takes.</param>
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

    /// <summary>The copies of what has most of them.</summary>
    public static int CopiesInside(IReadOnlyList<IReadOnlyList<RegexPart>> alternatives) =>
        alternatives.SelectMany(parts => parts).Select(part => part.Copies).DefaultIfEmpty(1).Max();
}

/// <summary>A place between characters: <c>^</c>, <c>$</c>, <c>\b</c>, <c>\B</c>, or an option such as <c>(?i)</c>.</summary>
/// <param name="Source">How it is written.</param>
internal sealed record RegexAnchor(string Source) : RegexPart(Source, RegexRepetition.Once);

/// <summary>How often a part comes.</summary>
/// <param name="Minimum">At least.</param>
/// <param name="Maximum">At most; <see cref="int.MaxValue"/> is any number.</param>
/// <param name="IsLazy">As seldom as possible instead of as often.</param>
internal readonly record struct RegexRepetition(int Minimum, int Maximum, bool IsLazy)
{
    public static RegexRepetition Once { get; } = new(1, 1, false);

    public bool IsFixed => Minimum == Maximum;

    /// <summary>How many copies RE2 makes of what is repeated.</summary>
    public int Copies => Math.Max(1, Maximum == int.MaxValue ? Minimum : Maximum);
}
