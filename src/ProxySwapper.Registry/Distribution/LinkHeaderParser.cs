using System.Text;

namespace ProxySwapper.Registry.Distribution;

/// <summary>One link of a header <c>Link</c>.</summary>
/// <param name="Target">A URL, perhaps a relative one.</param>
/// <param name="Relations">The relations; null if it has none.</param>
internal sealed record WebLink(string Target, IReadOnlyList<string>? Relations);

/// <summary>
/// Parses the value of <c>Link</c>: URLs in angle brackets, in which commas and semicolons separate nothing, each with parameters that are
/// tokens or quoted strings (<see href="https://www.rfc-editor.org/rfc/rfc8288#section-3">RFC 8288, 3</see>).
/// </summary>
internal ref struct LinkHeaderParser
{
    private readonly ReadOnlySpan<char> _text;
    private int _at;

    private LinkHeaderParser(ReadOnlySpan<char> text) => _text = text;

    /// <summary>The links; null if the value is malformed or has none.</summary>
    public static IReadOnlyList<WebLink>? Parse(string value)
    {
        var links = new List<WebLink>();
        var parser = new LinkHeaderParser(value);
        while (parser.Skip(" \t,"))
        {
            if (parser.Target() is not { } target)
                return null;
            links.Add(new WebLink(target, parser.Relations()));
        }
        return links.Count == 0 ? null : links;
    }

    /// <summary>Skips characters; false at the end.</summary>
    private bool Skip(string characters)
    {
        while (_at < _text.Length && characters.Contains(_text[_at]))
            _at++;
        return _at < _text.Length;
    }

    private string? Target()
    {
        var length = _text[_at..].IndexOf('>');
        if (_text[_at] != '<' || length < 0)
            return null;
        var target = _text.Slice(_at + 1, length - 1);
        _at += length + 1;
        return target.ToString();
    }

    /// <summary>Reads the parameters up to the next link; the first <c>rel</c> counts.</summary>
    private string[]? Relations()
    {
        string[]? relations = null;
        while (Skip(" \t;") && _text[_at] != ',')
        {
            var name = Until("=;,").Trim();
            var value = _at < _text.Length && _text[_at] == '=' ? Value() : "";
            if (name.Equals("rel", StringComparison.OrdinalIgnoreCase))
                relations ??= value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        }
        return relations;
    }

    private string Value()
    {
        _at++;
        if (!Skip(" \t") || _text[_at] != '"')
            return Until(";,").ToString();
        var content = new StringBuilder();
        for (_at++; _at < _text.Length && _text[_at] != '"'; _at++)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
                _at++;
            content.Append(_text[_at]);
        }
        // What follows up to the separator is no part of it.
        Until(";,");
        return content.ToString();
    }

    private ReadOnlySpan<char> Until(string separators)
    {
        var start = _at;
        while (_at < _text.Length && !separators.Contains(_text[_at]))
            _at++;
        return _text[start.._at];
    }
}
