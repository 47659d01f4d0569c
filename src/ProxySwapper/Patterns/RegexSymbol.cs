namespace ProxySwapper.Patterns;

/// <summary>A character of a set, or a run of them, in a branch of a regular expression.</summary>
/// <param name="Set">The characters of <see cref="PortableRegex.Characters"/> that it may contain.</param>
/// <param name="Minimum">The minimum number of characters.</param>
/// <param name="Maximum">The maximum number of characters; <see cref="int.MaxValue"/> is unlimited.</param>
/// <param name="Samples">Texts that it matches: all of them if <see cref="HasAllSamples"/>, at least one.</param>
internal sealed record RegexSymbol(string Set, int Minimum, int Maximum, IReadOnlyList<string> Samples)
{
    // What registries' names consist of first: an enumeration that ends early has seen valid ones.
    private const string Preferred = ".-abcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Texts that runs are likely to match: a registry, a path, a name, a tag.</summary>
    private static readonly string[] Words = ["a.example", "b.example", "team/app", "a", "b", "app", "nginx", "1.0", "0", "1"];

    /// <summary>No character.</summary>
    public static RegexSymbol Empty { get; } = new("", 0, 0, [""]);

    /// <summary>Whether it is one known character.</summary>
    public bool IsCharacter => Set.Length == 1 && Minimum == 1 && Maximum == 1;

    public bool HasFixedLength => Minimum == Maximum;

    public bool HasAllSamples => Maximum <= 1;

    /// <summary>Whether it matches more than one text.</summary>
    public bool IsVariable => !HasAllSamples || Samples.Count > 1;

    public static RegexSymbol Of(char character) => Of($"{character}", 1, 1);

    /// <summary>At most one character, or a run of characters.</summary>
    public static RegexSymbol Of(string set, int minimum, int maximum)
    {
        var characters = Preferred.Where(set.Contains).Concat(set.Where(character => !Preferred.Contains(character))).ToList();
        var lengthened = maximum == 1 ? characters.Select(character => $"{character}") : RunsOf(characters, minimum, maximum);
        return new(set, minimum, maximum, [.. lengthened, .. minimum == 0 ? [""] : Array.Empty<string>()]);
    }

    /// <summary>The same without a slash; null if it is one.</summary>
    public RegexSymbol? WithoutSlash() =>
        !Set.Contains('/') ? this
        : Set.Length > 1 ? Of(Set.Replace("/", "", StringComparison.Ordinal), Minimum, Maximum)
        : null;

    private static IEnumerable<string> RunsOf(List<char> characters, int minimum, int maximum)
    {
        var words = Words.Where(word => word.All(characters.Contains) && word.Length <= maximum);
        var ends = characters.Where((_, index) => index < 2 || index == characters.Count - 1).Select(character => $"{character}");
        return words.Concat(ends).Select(text => text.PadRight(minimum, text[^1])).Distinct(StringComparer.Ordinal);
    }
}
