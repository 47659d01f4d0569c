using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ProxySwapper.Mirroring;

/// <summary>One of several processes that share a file by a stable hash: together they handle everything exactly once.</summary>
internal sealed record MirrorShard(int Index, int Count)
{
    public static MirrorShard All { get; } = new(0, 1);

    /// <summary>Parses <c>I/N</c>, I from 0 to N-1.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out MirrorShard? shard)
    {
        shard =
            text.Split('/') is [var index, var count] && TryNumber(index, out var i) && TryNumber(count, out var n) && i < n
                ? new MirrorShard(i, n)
                : null;
        return shard is not null;
    }

    /// <summary>
    /// True if this shard must check the image's repositories. In mode highest there is one tag, and in mode higher each tag moves the
    /// start of the next run, so the whole repository belongs to one shard; otherwise single tags do.
    /// </summary>
    public bool IncludesRepository(MirrorImage image) => !IsUndivided(image) || IsMatch(image.Destination.Name);

    public bool IncludesTag(MirrorImage image, string tag) => IsUndivided(image) || IsMatch($"{image.Destination.Name}:{tag}");

    public override string ToString() => $"{Index}/{Count}";

    private static bool IsUndivided(MirrorImage image) => image.Filter.Mode is MirrorMode.Highest or MirrorMode.Higher;

    private bool IsMatch(string key) =>
        Count == 1 || BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(key))) % (ulong)Count == (ulong)Index;

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
