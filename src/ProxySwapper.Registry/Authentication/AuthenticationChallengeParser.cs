using System.Text;

namespace ProxySwapper.Registry.Authentication;

/// <summary>
/// Parses the value of <c>WWW-Authenticate</c>: any number of challenges, tokens and quoted strings
/// (<see href="https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1">RFC 9110, 11.6.1</see>). Parsing stops at malformed input.
/// </summary>
internal ref struct AuthenticationChallengeParser
{
    private const string TokenSymbols = "!#$%&'*+-.^_`|~";
    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private AuthenticationChallengeParser(ReadOnlySpan<char> text) => _text = text;

    public static IReadOnlyList<AuthenticationChallenge> Parse(string value)
    {
        var challenges = new List<AuthenticationChallenge>();
        var parser = new AuthenticationChallengeParser(value);
        Dictionary<string, string>? parameters = null;
        while (parser.SkipSeparators())
        {
            if (parser.Token() is not { Length: > 0 } name)
                break;
            if (parser.Assigned() is { } assigned && parameters is not null)
            {
                parameters.TryAdd(name, assigned);
                continue;
            }
            parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            challenges.Add(new AuthenticationChallenge(name, parameters));
        }
        return challenges;
    }

    private bool SkipSeparators()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or ',')
            _at++;
        return _at < _text.Length;
    }

    private string Token()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || TokenSymbols.Contains(_text[_at])))
            _at++;
        return _text[start.._at].ToString();
    }

    /// <summary>
    /// The value after a name's <c>=</c>, with optional whitespace around it; null, with nothing consumed, if there is no <c>=</c>.
    /// </summary>
    private string? Assigned()
    {
        var next = _at;
        while (next < _text.Length && _text[next] is ' ' or '\t')
            next++;
        if (next >= _text.Length || _text[next] != '=')
            return null;
        _at = next + 1;
        while (_at < _text.Length && _text[_at] is ' ' or '\t')
            _at++;
        return _at < _text.Length && _text[_at] == '"' ? Quoted() : Unquoted();
    }

    private string Quoted()
    {
        var content = new StringBuilder();
        for (_at++; _at < _text.Length && _text[_at] != '"'; _at++)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
                _at++;
            content.Append(_text[_at]);
        }
        _at++;
        return content.ToString();
    }

    /// <summary>More than a token: some registries send URLs without quotes.</summary>
    private string Unquoted()
    {
        var start = _at;
        while (_at < _text.Length && _text[_at] is not (' ' or '\t' or ','))
            _at++;
        return _text[start.._at].ToString();
    }
}
