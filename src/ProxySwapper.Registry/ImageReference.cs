using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Registry;

/// <summary>
/// The name of an image, normalised: registry, repository, and a tag, a digest, both or neither.
/// The grammar is that of <see href="https://github.com/distribution/reference">distribution/reference</see>:
/// <c>nginx</c> is <c>docker.io/library/nginx</c>, <c>localhost/x</c> and <c>host:5000/x</c> name a registry, <c>team/x</c> does not.
/// </summary>
/// <remarks>
/// Three deliberate differences. <c>sha256:</c> with 64 hex digits is an image ID, as for kubelet, and not a tag. A first segment with a
/// dot or colon that is not a valid host (<c>a__b.c/d</c>) is invalid, where that grammar reads it as a path without a registry, which
/// could not be pulled. And registry names are normalised by <see cref="RegistryName"/>, where that grammar keeps their case, <c>:443</c>
/// and all but one of Docker Hub's aliases.
/// </remarks>
public sealed record ImageReference
{
    // Cached, since the same reference is formatted often: as a target, in logs, as a key.
    private string? _text;

    private ImageReference(RegistryName registry, string repository, string? tag, Digest? digest) =>
        (Registry, Repository, Tag, Digest) = (registry, repository, tag, digest);

    /// <summary>The registry, such as <c>docker.io</c>, <c>localhost:5000</c>.</summary>
    public RegistryName Registry { get; }

    /// <summary>The path in the registry, such as <c>library/nginx</c>.</summary>
    public string Repository { get; }

    /// <summary>The tag, or null if there is none.</summary>
    public string? Tag { get; }

    /// <summary>The digest, or null if there is none.</summary>
    public Digest? Digest { get; }

    /// <summary>Registry and repository: <c>docker.io/library/nginx</c>.</summary>
    public string Name => $"{Registry.Text}/{Repository}";

    /// <summary>What to request from a registry: the digest if there is one, else the tag, else <c>latest</c>.</summary>
    public string ManifestReference => Digest?.ToString() ?? Tag ?? "latest";

    /// <summary>Parses a reference.</summary>
    /// <exception cref="FormatException">The text is not a reference; the message says why.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text, out var reference, out var fault)
            ? reference
            : throw new FormatException($"invalid image '{UserInfo.Hide(text)}': {fault}");

    /// <summary>Parses a reference; false if the text is not valid.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference) =>
        TryParse(text, out reference, out _);

    /// <summary>Parses a reference; if the text is not valid, <paramref name="fault"/> says briefly why. Never throws.</summary>
    public static bool TryParse(
        [NotNullWhen(true)] string? text,
        [NotNullWhen(true)] out ImageReference? reference,
        [NotNullWhen(false)] out string? fault
    )
    {
        reference = null;
        if (string.IsNullOrEmpty(text))
        {
            fault = "it is empty";
            return false;
        }
        if (text.Length > ImageReferenceGrammar.MaximumLength)
        {
            fault = "it is too long";
            return false;
        }
        if (ImageReferenceGrammar.IsBareIdentifier(text))
        {
            fault = "64 hex digits are an image ID, not a name";
            return false;
        }
        Digest? digest = null;
        var rest = text.AsSpan();
        if (rest.IndexOf('@') is >= 0 and var at)
        {
            if (!TryParseDigest(rest[(at + 1)..], out digest))
            {
                fault = "a digest is sha256, sha384 or sha512 with all its lower-case hex digits";
                return false;
            }
            rest = rest[..at];
        }
        var first = ImageReferenceGrammar.RegistryOf(rest);
        var path = first.IsEmpty ? rest : rest[(first.Length + 1)..];
        string? tag = null;
        if (path.IndexOf(':') is >= 0 and var colon)
        {
            tag = path[(colon + 1)..].ToString();
            path = path[..colon];
            if (!ImageReferenceGrammar.IsTag(tag))
            {
                fault = "a tag has 1 to 128 letters, digits, '_', '.' and '-', and does not start with '.' or '-'";
                return false;
            }
        }
        fault = ImageReferenceGrammar.Validate(first, path, out var registry);
        if (fault is not null)
            return false;
        reference = new ImageReference(registry, ImageReferenceGrammar.Repository(registry, path), tag, digest);
        return true;
    }

    /// <summary>True for a valid tag: 1 to 128 word characters, dots and dashes, the first a word character.</summary>
    public static bool IsTag(string text) => ImageReferenceGrammar.IsTag(text);

    /// <summary>The same repository with this tag and no digest.</summary>
    /// <exception cref="FormatException">The text is not a tag.</exception>
    public ImageReference WithTag(string tag) =>
        ImageReferenceGrammar.IsTag(tag) ? new(Registry, Repository, tag, null) : throw new FormatException($"'{tag}' is not a tag.");

    /// <summary>This reference with the tag <c>latest</c> if it has neither tag nor digest.</summary>
    public ImageReference WithDefaultTag() => Tag is null && Digest is null ? new(Registry, Repository, "latest", null) : this;

    /// <summary>The whole normalised reference: <c>docker.io/library/nginx:1.25@sha256:…</c>, with only the parts it has.</summary>
    public override string ToString() =>
        _text ??= (Tag, Digest) switch
        {
            (null, null) => Name,
            (_, null) => $"{Registry.Text}/{Repository}:{Tag}",
            (null, _) => $"{Registry.Text}/{Repository}@{Digest}",
            _ => $"{Registry.Text}/{Repository}:{Tag}@{Digest}",
        };

    /// <summary>True for a reference with the same normalised text.</summary>
    public bool Equals(ImageReference? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc />
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    private static bool TryParseDigest(ReadOnlySpan<char> text, out Digest? digest)
    {
        var known = ProxySwapper.Registry.Digest.TryParse(text.ToString(), out var parsed);
        digest = parsed;
        return known;
    }
}
