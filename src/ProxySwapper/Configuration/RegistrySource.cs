using ProxySwapper.Patterns;

namespace ProxySwapper.Configuration;

/// <summary>How references begin that one branch of a regular expression matches, and how they begin after the replacement.</summary>
internal sealed class RegistrySource
{
    private readonly IReadOnlyList<RegexSymbol> _registry;
    private readonly List<Element> _target = [];

    /// <summary>Whether the target is known to its end.</summary>
    private readonly bool _isWhole;

    /// <summary>The longest name of a registry, with its port (RFC 1035 §2.3.4).</summary>
    private const int MaximumRegistry = 253 + 6;

    private RegistrySource(IReadOnlyList<RegexSymbol> registry, int last, RegexBranch branch, IReadOnlyList<ReplacementPart> replacement)
    {
        _registry = [.. registry.Select(InLowerCase)];
        _isWhole = replacement.All(part => TryAdd(part, last, branch));
        PrefixOfRegistry = FindPrefix();
    }

    /// <summary>How many symbols it has, for limits.</summary>
    public int Size => _registry.Count + _target.Count;

    /// <summary>Equal for branches with the same registries and targets.</summary>
    public string Key =>
        string.Join(' ', _registry.Select(TextOf))
        + " to "
        + string.Join(' ', _target.Select(element => TextOf(element.Symbol) + element.Index));

    /// <summary>Whether one character of the registry can be any one, as with an unescaped dot.</summary>
    public bool HasAnyCharacter => _registry.Any(symbol => symbol.Maximum == 1 && symbol.Set.Length == PortableRegex.Characters.Length - 1);

    /// <summary>Whether <see cref="Texts"/> are all there are, except for its limit.</summary>
    public bool HasAllTexts => _registry.All(symbol => symbol.HasAllSamples);

    /// <summary>True if two registries of this source never get targets that begin alike.</summary>
    public bool KeepsRegistriesApart =>
        PrefixOfRegistry is not null
        || _registry.Index().All(symbol => !symbol.Item.IsVariable || Contains(symbol.Index)) && HasClosedSegments;

    /// <summary>What the target begins with if the registry's whole name and a slash follow; else null.</summary>
    private string? PrefixOfRegistry { get; }

    /// <summary>Whether each segment has at most one part of unknown length, so that the target tells what each part is.</summary>
    private bool HasClosedSegments
    {
        get
        {
            var runs = 0;
            foreach (var element in _target)
            {
                runs = element.IsSlash ? 0 : runs + (element.Symbol.HasFixedLength ? 0 : 1);
                if (runs > 1)
                    return false;
            }
            return runs == 0 || _isWhole;
        }
    }

    /// <summary>As in a normalised reference, so that an option such as <c>(?i)</c> makes no other registries.</summary>
    private static RegexSymbol InLowerCase(RegexSymbol symbol) =>
        symbol is { Minimum: 1, Maximum: 1 } && symbol.Set.Any(char.IsAsciiLetterUpper)
            ? RegexSymbol.Of(string.Concat(symbol.Set.Where(character => !char.IsAsciiLetterUpper(character))), 1, 1)
            : symbol;

    private string? FindPrefix()
    {
        var start = _target.FindIndex(element => element.Index == 0);
        var end = start + _registry.Count;
        return
            start >= 0
            && end < _target.Count
            && _target[end].IsSlash
            && _target.Take(start).All(element => element.Symbol.IsCharacter)
            && Enumerable.Range(0, _registry.Count).All(index => _target[start + index].Index == index)
            ? string.Concat(_target.Take(start).Select(element => element.Symbol.Set))
            : null;
    }

    /// <summary>The sources of one branch: more than one if it is not certain where the registry ends.</summary>
    public static IEnumerable<RegistrySource> Of(RegexBranch branch, IReadOnlyList<ReplacementPart> replacement)
    {
        var registry = new List<RegexSymbol>();
        var length = 0;
        foreach (var (index, symbol) in branch.Symbols.Index())
        {
            var rest = symbol.WithoutSlash();
            if (rest != symbol)
            {
                // The slash is this symbol, or in this run.
                IEnumerable<RegexSymbol> tail =
                    symbol.Maximum == 1 ? [] : [rest is null ? RegexSymbol.Empty : RegexSymbol.Of(rest.Set, 0, rest.Maximum)];
                yield return new([.. registry, .. tail], index, branch, replacement);
            }
            if (rest is null && symbol.Minimum > 0)
                yield break;
            registry.Add(rest ?? RegexSymbol.Empty);
            if ((length += symbol.Minimum) > MaximumRegistry)
                yield break;
        }
    }

    /// <summary>
    /// Names that the registry can have, also invalid ones, with how their targets begin; a line feed stands for the target's end.
    /// </summary>
    public IEnumerable<(string Registry, string Target)> Texts()
    {
        // No registry's name has such a character.
        if (_registry.Any(symbol => symbol.Samples.Count == 0))
            yield break;
        var chosen = new int[_registry.Count];
        for (var changed = 0; changed >= 0; )
        {
            yield return (
                string.Concat(_registry.Select((symbol, index) => symbol.Samples[chosen[index]])),
                string.Concat(_target.Select(element => TextOf(element, chosen))) + (_isWhole ? "\n" : "")
            );
            // The next one: as numbers are counted, from the last digit.
            for (changed = chosen.Length - 1; changed >= 0; changed--)
            {
                chosen[changed] = (chosen[changed] + 1) % _registry[changed].Samples.Count;
                if (chosen[changed] > 0)
                    break;
            }
        }
    }

    private string TextOf(Element element, int[] chosen) =>
        element.Index < 0 ? element.Symbol.Set : _registry[element.Index].Samples[chosen[element.Index]];

    /// <summary>True if no target of this source begins like one of the other's.</summary>
    public bool IsApartFrom(RegistrySource other)
    {
        foreach (var (one, two) in _target.Zip(other._target))
        {
            if (one.Symbol.Minimum > 0 && two.Symbol.Minimum > 0 && !one.Symbol.Set.Intersect(two.Symbol.Set).Any())
                return true;
            if (!one.Symbol.IsCharacter || !two.Symbol.IsCharacter)
                break;
        }
        return PrefixOfRegistry is { } prefix && prefix == other.PrefixOfRegistry
            || !_registry.Concat(other._registry).Any(symbol => symbol.IsVariable) && TextOfRegistry == other.TextOfRegistry;
    }

    private string TextOfRegistry => string.Concat(_registry.Select(symbol => symbol.Set));

    /// <summary>Adds a part of the replacement; false if the target is not known from here.</summary>
    /// <param name="part">The part.</param>
    /// <param name="last">The branch's symbol with the slash after the registry.</param>
    /// <param name="branch">The branch.</param>
    private bool TryAdd(ReplacementPart part, int last, RegexBranch branch)
    {
        if (part.Group < 0)
        {
            _target.AddRange(part.Text.Select(character => new Element(RegexSymbol.Of(character), -1)));
            return true;
        }
        var range = part.Group == 0 ? ..branch.Symbols.Count : (Range?)null;
        if (part.Group > 0 && !branch.Groups.TryGetValue(part.Group, out range))
            return true;
        if (range is not { } captured || captured.Start.Value > last)
            return false;
        var isInside = captured.End.Value <= last;
        var end = isInside ? captured.End.Value : _registry.Count;
        for (var index = captured.Start.Value; index < end; index++)
            _target.Add(new(_registry[index], index));
        if (!isInside)
            _target.Add(new(RegexSymbol.Of('/'), -1));
        return isInside;
    }

    private bool Contains(int index) => _target.Any(element => element.Index == index);

    private static string TextOf(RegexSymbol symbol) => $"[{symbol.Set}]{{{symbol.Minimum},{symbol.Maximum}}}";

    /// <summary>A part of a target.</summary>
    /// <param name="Symbol">What it can be.</param>
    /// <param name="Index">The registry's symbol that it repeats; negative for text.</param>
    private readonly record struct Element(RegexSymbol Symbol, int Index)
    {
        public bool IsSlash => Index < 0 && Symbol.Set == "/";
    }
}
