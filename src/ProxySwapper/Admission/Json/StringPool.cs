using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ProxySwapper.Admission.Json;

/// <summary>
/// The texts that came last, by their bytes: names, images and policies come again with every Pod of a Deployment, and what needs no
/// new string leaves nothing for the garbage collector. For any number of threads.
/// </summary>
internal sealed class StringPool
{
    /// <summary>A text longer than this is made each time, so that the whole stays below 300 KB.</summary>
    private const int MaximumLength = 128;

    // Each text has one place, where the next one with that place replaces it. To write a reference is atomic.
    private readonly string?[] _texts = new string?[1024];

    /// <summary>The text of these bytes, or null when it is not of ASCII characters or too long.</summary>
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
