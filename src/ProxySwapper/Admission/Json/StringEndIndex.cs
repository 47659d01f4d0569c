using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ProxySwapper.Admission.Json;

/// <summary>
/// Finds where strings of a JSON text may end (quotes, backslashes, control characters) for a block of 64 bytes at once. The next one then
/// follows from a shift, which the processor can do ahead of time.
/// </summary>
internal struct StringEndIndex
{
    private const int BlockSize = 64;

    /// <summary>Characters up to this one must be escaped in a string.</summary>
    private const byte LastControl = 0x1F;

    private int _start = -BlockSize;
    private ulong _stops;

    public StringEndIndex() { }

    /// <summary>The first stop at or after this position.</summary>
    /// <exception cref="System.Text.Json.JsonException">There is none.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(ReadOnlySpan<byte> text, int at)
    {
        var offset = at - _start;
        if ((uint)offset < BlockSize && _stops >> offset is not 0 and var stops)
            return at + BitOperations.TrailingZeroCount(stops);
        return NextBlock(text, at);
    }

    private int NextBlock(ReadOnlySpan<byte> text, int at)
    {
        // No stop left in this block.
        if ((uint)(at - _start) < BlockSize)
            at = _start + BlockSize;
        for (; at < text.Length; at = _start + BlockSize)
        {
            _start = at;
            _stops = EndMaskOf(text[at..]);
            if (_stops != 0)
                return at + BitOperations.TrailingZeroCount(_stops);
        }
        throw JsonSkipper.Fault("unterminated string", text.Length);
    }

    /// <summary>A bit for each of the first 64 bytes.</summary>
    private static ulong EndMaskOf(ReadOnlySpan<byte> text)
    {
        if (text.Length >= BlockSize)
            return EndMaskOf(Vector256.Create(text))
                | (ulong)EndMaskOf(Vector256.Create(text[Vector256<byte>.Count..])) << Vector256<byte>.Count;
        var stops = 0UL;
        for (var at = 0; at < text.Length; at++)
            if (text[at] is (byte)'"' or (byte)'\\' or <= LastControl)
                stops |= 1UL << at;
        return stops;
    }

    private static uint EndMaskOf(Vector256<byte> block) =>
        (
            Vector256.Equals(block, Vector256.Create((byte)'"'))
            | Vector256.Equals(block, Vector256.Create((byte)'\\'))
            | Vector256.Equals(Vector256.Min(block, Vector256.Create(LastControl)), block)
        ).ExtractMostSignificantBits();
}
