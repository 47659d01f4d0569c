using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ProxySwapper.Patterns;

/// <summary>Parses a regular expression that .NET accepts, and rejects what RE2 lacks or interprets differently.</summary>
internal sealed class PortableRegexReader
{
    private const string Digits = "0123456789";
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int MaximumDepth = 50;
    private const string WordCharacters = Letters + Digits + "_";

    private readonly string _pattern;
    private readonly HashSet<string> _names = [];
    private int _at;
    private int _depth;
    private bool _hasOptions;
    private bool _matchesOthers;

    private PortableRegexReader(string pattern) => _pattern = pattern;

    /// <summary>Parses a pattern; false, with a short reason, if RE2 would interpret it differently.</summary>
    public static bool TryRead(string pattern, [NotNullWhen(true)] out PortableRegex? regex, [NotNullWhen(false)] out string? reason)
    {
        (regex, reason) = (null, null);
        var reader = new PortableRegexReader(pattern);
        try
        {
            var alternatives = reader.ReadAlternatives();
            if (reader._at < pattern.Length)
                throw new NotPortableException("')' without '('");
            regex = new PortableRegex(alternatives, reader._hasOptions);
            return true;
        }
        catch (NotPortableException exception)
        {
            reason = exception.Message;
            return false;
        }
    }

    private bool IsAtEnd => _at == _pattern.Length;

    private char Current => IsAtEnd ? '\0' : _pattern[_at];

    private List<IReadOnlyList<RegexPart>> ReadAlternatives()
    {
        var alternatives = new List<IReadOnlyList<RegexPart>>();
        while (true)
        {
            var parts = new List<RegexPart>();
            while (!IsAtEnd && Current is not ('|' or ')'))
                parts.Add(ReadPart());
            alternatives.Add(parts);
            if (Current != '|')
                return alternatives;
            _at++;
        }
    }

    private RegexPart ReadPart()
    {
        var start = _at;
        _matchesOthers = false;
        switch (Current)
        {
            case '^' or '$':
                _at++;
                return Unrepeated(new RegexAnchor(_pattern[start.._at]));
            case '(':
                return ReadGroup();
            case '[':
                return Repeated(start, ReadClass());
            case '.':
                _at++;
                _matchesOthers = true;
                return Repeated(start, PortableRegex.Characters);
            case '\\':
                if (_pattern[_at + 1] is 'b' or 'B')
                {
                    _at += 2;
                    return Unrepeated(new RegexAnchor(_pattern[start.._at]));
                }
                return Repeated(start, ReadEscape(out _));
            case '{':
                throw new NotPortableException(@"a '{' that does not start a repetition; write \{");
            default:
                return Repeated(start, $"{ReadLiteral()}");
        }
    }

    private RegexAnchor Unrepeated(RegexAnchor anchor) =>
        Current is '*' or '+' or '?' or '{' ? throw new NotPortableException($"'{anchor.Source}' repeated") : anchor;

    private RegexSet Repeated(int start, string set)
    {
        var repetition = ReadQuantifier(1);
        return new RegexSet(_pattern[start.._at], repetition, set, _matchesOthers);
    }

    private RegexPart ReadGroup()
    {
        var start = _at++;
        var (isCapturing, name) = (true, default(string));
        if (Current == '?')
        {
            _at++;
            (isCapturing, name) = ReadGroupKind();
            if (_pattern[_at - 1] == ')')
                return Unrepeated(new RegexAnchor(_pattern[start.._at]));
        }
        if (++_depth > MaximumDepth)
            throw new NotPortableException($"groups nested deeper than {MaximumDepth}");
        var alternatives = ReadAlternatives();
        _depth--;
        _at++;
        var repetition = ReadQuantifier(RegexGroup.CopiesInside(alternatives));
        return new RegexGroup(_pattern[start.._at], repetition, alternatives, isCapturing, name);
    }

    private (bool IsCapturing, string? Name) ReadGroupKind()
    {
        if (Current == '<')
        {
            var end = _pattern.IndexOf('>', _at);
            var name = end < 0 ? "" : _pattern[(_at + 1)..end];
            if (
                name.Length == 0
                || char.IsAsciiDigit(name[0])
                || name.Any(character => !WordCharacters.Contains(character, StringComparison.Ordinal))
            )
                throw new NotPortableException(
                    $"the group '(?<{name}', which is a look-behind or has a name of other characters than letters, digits and '_'"
                );
            if (!_names.Add(name))
                throw new NotPortableException($"two groups with the name '{name}'");
            _at = end + 1;
            return (true, name);
        }
        var from = _at;
        while (Current is 'i' or 's' or '-')
            _at++;
        var options = _pattern[from.._at];
        if (
            Current is not (':' or ')')
            || options is not ("" or "i" or "s" or "is" or "si" or "-i" or "-s")
            || options.Length == 0 && Current == ')'
        )
            throw new NotPortableException($"'(?{_pattern[from..Math.Min(_at + 1, _pattern.Length)]}'");
        _hasOptions |= options.Length > 0;
        _at++;
        return (false, null);
    }

    /// <param name="copies">The copies that RE2 already makes of the part before the quantifier.</param>
    private RegexRepetition ReadQuantifier(int copies)
    {
        if (Current is not ('*' or '+' or '?' or '{'))
            return RegexRepetition.Once;
        var (minimum, maximum) = Current switch
        {
            '*' => (0, int.MaxValue),
            '+' => (1, int.MaxValue),
            '?' => (0, 1),
            _ => ReadBraces(),
        };
        _at++;
        var repetition = new RegexRepetition(minimum, maximum, IsLazy: Current == '?');
        if (repetition.IsLazy)
            _at++;
        return copies * repetition.Copies <= PortableRegex.MaximumRepetition
            ? repetition
            : throw new NotPortableException($"repetitions that make more than {PortableRegex.MaximumRepetition}");
    }

    /// <summary>Reads the inside of <c>{n}</c>, <c>{n,}</c>, <c>{n,m}</c>; stops at the closing brace.</summary>
    private (int Minimum, int Maximum) ReadBraces()
    {
        var end = _pattern.IndexOf('}', _at);
        var bounds = end < 0 ? [] : _pattern[(_at + 1)..end].Split(',');
        if (bounds is not [_] and not [_, _] || !TryReadCount(bounds[0], out var minimum))
            throw new NotPortableException(@"a '{' that does not start a repetition; write \{");
        var maximum = int.MaxValue;
        if (bounds is [_])
            maximum = minimum;
        else if (bounds[1].Length > 0 && !TryReadCount(bounds[1], out maximum))
            throw new NotPortableException(@"a '{' that does not start a repetition; write \{");
        _at = end;
        return (minimum, maximum);
    }

    private static bool TryReadCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count)
        && (
            count <= PortableRegex.MaximumRepetition
                ? true
                : throw new NotPortableException($"a repetition of more than {PortableRegex.MaximumRepetition}")
        );

    private string ReadClass()
    {
        _at++;
        var isNegated = Current == '^';
        if (isNegated)
            _at++;
        var set = new HashSet<char>();
        for (var isFirst = true; isFirst || Current != ']'; isFirst = false)
        {
            var (characters, single) = ReadMember();
            if (Current == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                var (_, last) = ReadMember();
                if (single is not { } from || last is not { } to)
                    throw new NotPortableException("a range in a class that begins or ends with a class");
                characters = string.Concat(Enumerable.Range(from, to - from + 1).Select(code => (char)code));
            }
            set.UnionWith(characters);
        }
        _at++;
        _matchesOthers |= isNegated || set.Any(IsOther);
        return string.Concat(PortableRegex.Characters.Where(character => set.Contains(character) != isNegated));
    }

    private (string Characters, char? Single) ReadMember()
    {
        if (Current == '-' && _pattern[_at + 1] == '[')
            throw new NotPortableException("a class with another subtracted from it, '-[…]'");
        if (Current == '[')
            throw new NotPortableException(@"an unescaped '[' in a class; write \[");
        if (Current == '\\')
        {
            var set = ReadEscape(out var single);
            return (set, single);
        }
        var literal = ReadLiteral();
        return ($"{literal}", literal);
    }

    private char ReadLiteral()
    {
        var literal = _pattern[_at++];
        _matchesOthers |= IsOther(literal);
        return literal is >= ' ' and <= '~'
            ? literal
            : throw new NotPortableException("a character other than printable ASCII, which cannot occur in a reference");
    }

    /// <summary>The characters that an escape matches.</summary>
    private string ReadEscape(out char? single)
    {
        single = null;
        var escaped = _pattern[_at + 1];
        _at += 2;
        _matchesOthers |= char.IsAsciiLetter(escaped) || IsOther(escaped);
        switch (escaped)
        {
            case 'd':
                return Digits;
            case 'D':
                return Without(Digits);
            case 'w':
                return WordCharacters;
            case 'W':
                return Without(WordCharacters);
            case 's':
                return "";
            case 'S':
                return PortableRegex.Characters;
            case > ' ' and <= '~' when !char.IsAsciiLetterOrDigit(escaped):
                single = escaped;
                return $"{escaped}";
            default:
                throw new NotPortableException($@"'\{escaped}'");
        }
    }

    private static bool IsOther(char character) => !PortableRegex.Characters.Contains(character, StringComparison.Ordinal);

    private static string Without(string characters) =>
        string.Concat(PortableRegex.Characters.Where(character => !characters.Contains(character, StringComparison.Ordinal)));

    private sealed class NotPortableException(string message) : Exception(message);
}
