using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;

namespace ProxySwapper.Admission.Json;

/// <summary>
/// Builds JSON (RFC 8259) from pieces, with constant pieces appended as bytes without inspection. Uses arrays of the shared pool.
/// </summary>
internal sealed class Utf8JsonBuffer : IDisposable
{
    private const int InitialCapacity = 4096;

    // Characters that are written unescaped: image names and labels need no escaping, and logs are more readable without HTML escapes.
    private static readonly SearchValues<char> Plain = SearchValues.Create([
        .. Enumerable.Range(' ', 0x7F - ' ').Select(character => (char)character).Where(character => character is not ('"' or '\\')),
    ]);

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialCapacity);
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Appends bytes unchanged.</summary>
    public void Append(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        _length += json.Length;
    }

    /// <summary>Appends a string with its quotes.</summary>
    public void AppendString(string text)
    {
        Append("\""u8);
        AppendInString(text);
        Append("\""u8);
    }

    /// <summary>Appends characters of a string as a token of a JSON pointer (RFC 6901 §3).</summary>
    public void AppendPointerToken(ReadOnlySpan<char> text)
    {
        for (int special; (special = text.IndexOfAny('~', '/')) >= 0; text = text[(special + 1)..])
        {
            AppendInString(text[..special]);
            Append(text[special] == '~' ? "~0"u8 : "~1"u8);
        }
        AppendInString(text);
    }

    /// <summary>Appends characters of a string, escaped where necessary.</summary>
    public void AppendInString(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Plain))
            text = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text.ToString());
        _length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));
    }

    /// <summary>Appends a number.</summary>
    public void Append(int number)
    {
        const int MaximumDigits = 11;
        number.TryFormat(Room(MaximumDigits), out var written);
        _length += written;
    }

    /// <summary>Appends bytes as a Base64 string with its quotes.</summary>
    public void AppendBase64(ReadOnlySpan<byte> bytes)
    {
        Append("\""u8);
        var status = Base64.EncodeToUtf8(bytes, Room(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        Debug.Assert(status == OperationStatus.Done);
        _length += written;
        Append("\""u8);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private Span<byte> Room(int needed)
    {
        if (_buffer.Length - _length < needed)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + needed, _buffer.Length * 2));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        return _buffer.AsSpan(_length);
    }
}
