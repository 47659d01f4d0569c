using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace ProxySwapper.Registry;

/// <summary>
/// The digest of content, <c>algorithm:hex</c>
/// (<see href="https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests">OCI image-spec, Digests</see>).
/// Supports the algorithms sha256, sha384 and sha512, in lower-case hex.
/// </summary>
public readonly record struct Digest
{
    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary>The algorithm's name, such as <c>sha256</c>.</summary>
    public string Algorithm => Text[..Text.IndexOf(':')];

    /// <summary>The hash in lower-case hex.</summary>
    public string Hex => Text[(Text.IndexOf(':') + 1)..];

    private string Text => _text ?? throw new InvalidOperationException("A default digest has no value.");

    /// <summary>Parses <c>algorithm:hex</c>.</summary>
    /// <exception cref="FormatException">The text is not a digest of a known algorithm.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is not a sha256, sha384 or sha512 digest.");

    /// <summary>Parses <c>algorithm:hex</c>; false for anything else, null included.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null || text.IndexOf(':') is var colon && colon < 0)
            return false;
        if (HexLength(text.AsSpan(0, colon)) != text.Length - colon - 1)
            return false;
        if (text.AsSpan(colon + 1).ContainsAnyExcept(HexDigits))
            return false;
        digest = new Digest(text);
        return true;
    }

    /// <summary>The sha256 digest of bytes in memory.</summary>
    public static Digest OfBytes(ReadOnlySpan<byte> content) => OfHash(HashAlgorithmName.SHA256, SHA256.HashData(content));

    /// <summary>Creates a digest from a hash computed while streaming.</summary>
    public static Digest OfHash(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash) =>
        Parse($"{algorithm.Name!.ToLowerInvariant()}:{Convert.ToHexStringLower(hash)}");

    /// <summary>Creates a hash of this digest's algorithm, to verify content.</summary>
    public IncrementalHash CreateHash() => IncrementalHash.CreateHash(HashName);

    /// <summary>True if these bytes have this digest.</summary>
    public bool Matches(ReadOnlySpan<byte> content) => this == OfHash(HashName, CryptographicOperations.HashData(HashName, content));

    /// <inheritdoc />
    public override string ToString() => _text ?? "";

    internal HashAlgorithmName HashName => new(Algorithm.ToUpperInvariant());

    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdef");

    private static int HexLength(ReadOnlySpan<char> algorithm) =>
        algorithm switch
        {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => -1,
        };
}
