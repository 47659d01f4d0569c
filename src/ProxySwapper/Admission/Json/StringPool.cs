using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ProxySwapper.Admission.Json;

/// <summary>
/// Caches the most recent strings by their bytes: names, images and policies repeat with every Pod of a Deployment, and reusing them spares
/// the garbage collector. Thread-safe.
/// </summary>
internal sealed class StringPool
{
    /// <summary>Longer texts are not cached, so that the pool stays below 300 KB.</summary>
    private const int MaximumLength = 128;

    // Each text has one slot, where the next text with the same slot replaces it. Writing a reference is atomic.
    private readonly string?[] _texts = new string?[1024];

    /// <summary>The text of these bytes, or null if it is not ASCII or too long.</summary>
    public string? TextOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            return null;
        ref var place = ref _texts[PlaceOf(bytes) % _texts.Length];
        if (place is { } known && Ascii.Equals(bytes, known))
            return known;
        return Ascii.IsValid(bytes) ? place = Encoding.ASCII.GetString(bytes) : null;
    }

    private static uint PlaceOf(ReadOnlySpan<byte> bytes)
    {
        var sum = (uint)bytes.Length;
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
            sum = (BitOperations.RotateLeft(sum, 5) ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes)) * 0x9E3779B1;
        foreach (var rest in bytes)
            sum = (BitOperations.RotateLeft(sum, 5) ^ rest) * 0x9E3779B1;
        return sum >> 16;
    }
}
