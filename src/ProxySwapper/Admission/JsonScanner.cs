using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Json;

namespace ProxySwapper.Admission;

/// <summary>
/// Goes forward through one JSON text (RFC 8259) and checks all of it, but makes objects only of what is asked for. Most of a Pod is
/// passed over, which takes this half the time of <see cref="Utf8JsonReader"/>, and reading was half of an answer's time.
/// </summary>
/// <remarks>Each method throws <see cref="JsonException"/> where the text is no JSON or deeper than allowed.</remarks>
internal ref struct JsonScanner(ReadOnlySpan<byte> text, int maximumDepth)
{
    private static readonly SearchValues<byte> StringStops = SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, ' ').Select(control => (byte)control)]);
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _text = text;
    private ReadOnlySpan<byte> _name;
    private bool _isNameEscaped;
    private int _depth;

    // Nothing was read yet of the object or array that the scanner is in.
    private bool _isAtStart;

    /// <summary>How many bytes lie behind.</summary>
    public int Position { get; private set; }

    /// <summary>To the value of an object's next member; false behind the object's end.</summary>
    public bool NextMember()
    {
        if (!Next((byte)'}', out var first)) return false;
        if (first != '"') throw Fault("a name is missing");
        _name = ReadString(out _isNameEscaped);
        SkipColon();
        return true;
    }

    /// <summary>To an array's next item; false behind the array's end.</summary>
    public bool NextItem() => Next((byte)']', out _);

    /// <summary>Whether the member that the scanner is at has this name.</summary>
    public readonly bool NameIs(ReadOnlySpan<byte> name) =>
        _isNameEscaped ? Encoding.UTF8.GetBytes(Decode(_name, isEscaped: true)).AsSpan().SequenceEqual(name) : _name.SequenceEqual(name);

    /// <summary>Whether the member that the scanner is at has this name, which is of ASCII characters.</summary>
    public readonly bool NameIs(string name) => _isNameEscaped ? Decode(_name, isEscaped: true) == name : Ascii.Equals(_name, name);

    /// <summary>The name of the member that the scanner is at when it begins so, else null.</summary>
    public readonly string? NameStartingWith(ReadOnlySpan<byte> start)
    {
        if (!_isNameEscaped && !_name.StartsWith(start)) return null;
        var name = Decode(_name, _isNameEscaped);
        return Encoding.UTF8.GetBytes(name).AsSpan().StartsWith(start) ? name : null;
    }

    /// <summary>Into the value where that is an object; behind any other value.</summary>
    public bool EnterObject() => Enter((byte)'{');

    /// <summary>Into the value where that is an array; behind any other value.</summary>
    public bool EnterArray() => Enter((byte)'[');

    /// <summary>Behind a null; false, and nothing happened, at any other value.</summary>
    public bool SkipNull()
    {
        if (Peek() != 'n') return false;
        Skip();
        return true;
    }

    /// <summary>The value where that is a string, else null; behind it either way.</summary>
    public string? Text()
    {
        if (Peek() == '"') return Decode(ReadString(out var isEscaped), isEscaped);
        Skip();
        return null;
    }

    /// <summary>True for the value <c>true</c>; behind it either way.</summary>
    public bool IsTrue()
    {
        var isTrue = Peek() == 't';
        Skip();
        return isTrue;
    }

    /// <summary>Behind the value.</summary>
    public void Skip()
    {
        switch (Peek())
        {
            case (byte)'"':
                ReadString(out _);
                break;
            case (byte)'{':
                EnterObject();
                while (Next((byte)'}', out var first))
                {
                    if (first != '"') throw Fault("a name is missing");
                    ReadString(out _);
                    SkipColon();
                    Skip();
                }
                break;
            case (byte)'[':
                EnterArray();
                while (NextItem()) Skip();
                break;
            case (byte)'t':
                SkipLiteral("true"u8);
                break;
            case (byte)'f':
                SkipLiteral("false"u8);
                break;
            case (byte)'n':
                SkipLiteral("null"u8);
                break;
            default:
                SkipNumber();
                break;
        }
    }

    /// <summary>Checks that only white space follows.</summary>
    public void End()
    {
        if (!_text[Position..].Trim(" \t\r\n"u8).IsEmpty) throw Fault("there is something behind the end");
    }

    private void SkipColon()
    {
        if (Peek() != ':') throw Fault("a colon is missing");
        Position++;
    }

    private bool Enter(byte start)
    {
        if (Peek() != start)
        {
            Skip();
            return false;
        }
        if (++_depth > maximumDepth) throw Fault($"it is deeper than {maximumDepth}");
        Position++;
        return _isAtStart = true;
    }

    /// <summary>To the first byte of what comes next between commas; false behind the end.</summary>
    private bool Next(byte end, out byte first)
    {
        first = Peek();
        if (first == end)
        {
            Position++;
            _depth--;
            return _isAtStart = false;
        }
        if (!_isAtStart)
        {
            if (first != ',') throw Fault("a comma is missing");
            Position++;
            first = Peek();
        }
        _isAtStart = false;
        return true;
    }

    /// <summary>The next byte that is no white space.</summary>
    private byte Peek()
    {
        for (var at = Position; at < _text.Length; at++)
        {
            var next = _text[at];
            if (next > ' ' || next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                Position = at;
                return next;
            }
        }
        throw Fault("it ends too early");
    }

    /// <summary>What is between the quotes, as it stands there.</summary>
    private ReadOnlySpan<byte> ReadString(out bool isEscaped)
    {
        var start = ++Position;
        isEscaped = false;
        while (true)
        {
            var length = IndexOfStop(_text[Position..]);
            if (length < 0) throw Fault("a string has no end");
            Position += length;
            if (_text[Position] == '"') return _text[start..Position++];
            if (_text[Position] != '\\') throw Fault("a string has a control character");
            isEscaped = true;
            Position += EscapeLength(_text[(Position + 1)..]);
        }
    }

    /// <summary>Most strings of a Pod are short: one look at 16 bytes costs less than setting out on a search.</summary>
    private static int IndexOfStop(ReadOnlySpan<byte> rest)
    {
        if (rest.Length >= Vector128<byte>.Count)
        {
            var block = Vector128.Create(rest);
            var stops = Vector128.Equals(block, Vector128.Create((byte)'"')) | Vector128.Equals(block, Vector128.Create((byte)'\\')) | Vector128.LessThan(block, Vector128.Create((byte)' '));
            if (stops != Vector128<byte>.Zero) return BitOperations.TrailingZeroCount(stops.ExtractMostSignificantBits());
        }
        return rest.IndexOfAny(StringStops);
    }

    private readonly int EscapeLength(ReadOnlySpan<byte> rest) => rest switch
    {
        [(byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t', ..] => 2,
        [(byte)'u', var a, var b, var c, var d, ..] when char.IsAsciiHexDigit((char)a) && char.IsAsciiHexDigit((char)b) && char.IsAsciiHexDigit((char)c) && char.IsAsciiHexDigit((char)d) => 6,
        _ => throw Fault("a string has an unknown escape"),
    };

    private void SkipLiteral(ReadOnlySpan<byte> literal)
    {
        if (!_text[Position..].StartsWith(literal)) throw Fault("a value is missing");
        Position += literal.Length;
    }

    private void SkipNumber()
    {
        if (_text[Position] == '-') Position++;
        if (SkipByte((byte)'0'))
        {
            if (DigitsAhead() > 0) throw Fault("a number begins with zero");
        }
        else SkipDigits();
        if (SkipByte((byte)'.')) SkipDigits();
        if (!SkipByte((byte)'e') && !SkipByte((byte)'E')) return;
        if (!SkipByte((byte)'+')) SkipByte((byte)'-');
        SkipDigits();
    }

    private void SkipDigits()
    {
        var digits = DigitsAhead();
        if (digits == 0) throw Fault("a value is missing");
        Position += digits;
    }

    private readonly int DigitsAhead()
    {
        var rest = _text[Position..];
        return rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9') is >= 0 and var digits ? digits : rest.Length;
    }

    private bool SkipByte(byte expected)
    {
        if (Position == _text.Length || _text[Position] != expected) return false;
        Position++;
        return true;
    }

    private readonly string Decode(ReadOnlySpan<byte> raw, bool isEscaped)
    {
        try
        {
            if (!isEscaped) return Strict.GetString(raw);
            var reader = new Utf8JsonReader([(byte)'"', .. raw, (byte)'"']);
            reader.Read();
            return reader.GetString()!;
        }
        catch (Exception fault) when (fault is DecoderFallbackException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair.
            throw Fault("a string is no Unicode");
        }
    }

    private readonly JsonException Fault(string what) => new($"{what}, at byte {Position}");
}
