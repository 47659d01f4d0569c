namespace ProxySwapper.Patterns;

/// <summary>
/// One way through a regular expression: no alternatives, no optional groups. All branches together match at least what the expression
/// matches; assertions such as <c>\b</c> are ignored.
/// </summary>
/// <param name="Symbols">What it matches, in order.</param>
/// <param name="Groups">
/// The symbols that a group, by its number, captures; null if that is not known. A group without an entry captures nothing.
/// </param>
internal sealed record RegexBranch(IReadOnlyList<RegexSymbol> Symbols, IReadOnlyDictionary<int, Range?> Groups)
{
    /// <summary>The length of the shortest text that it matches.</summary>
    public int MinimumLength => Symbols.Sum(symbol => symbol.Minimum);

    /// <summary>A text that it is likely to match, and the texts that differ from it in one symbol.</summary>
    public IEnumerable<string> Samples()
    {
        yield return string.Concat(Symbols.Select(symbol => symbol.Samples[0]));
        foreach (var (index, symbol) in Symbols.Index())
        {
            var before = string.Concat(Symbols.Take(index).Select(other => other.Samples[0]));
            var after = string.Concat(Symbols.Skip(index + 1).Select(other => other.Samples[0]));
            // The first and last characters of a range, where those of two rules may meet.
            foreach (var (number, sample) in symbol.Samples.Index().Skip(1))
                if (!symbol.HasAllSamples || number < 4 || number >= symbol.Samples.Count - 2)
                    yield return before + sample + after;
        }
    }
}
