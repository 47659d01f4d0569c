using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>
/// Matches images: a bare name (<c>registry</c> is docker.io/library/registry, any tag), a repository, an exact reference with tag or
/// digest, or any of these with <c>*</c> and <c>**</c>. <c>**</c> alone matches every image.
/// </summary>
internal sealed class ImagePattern
{
    private readonly RepositoryPattern _repository;
    private readonly string? _tag;
    private readonly Digest? _digest;

    private ImagePattern(RepositoryPattern repository, string? tag, Digest? digest) =>
        (_repository, _tag, _digest) = (repository, tag, digest);

    public RepositoryPattern Repository => _repository;

    /// <summary>The tag, which may contain <c>*</c>; null for any or none.</summary>
    public string? Tag => _tag;

    /// <summary>The digest, or null for any or none.</summary>
    public Digest? PinnedDigest => _digest;

    public static bool TryParse(string text, [NotNullWhen(true)] out ImagePattern? pattern, [NotNullWhen(false)] out string? fault)
    {
        pattern = null;
        var (name, tag, digest) = (text, default(string), default(Digest?));
        if (text.IndexOf('@') is >= 0 and var at)
        {
            if (!Digest.TryParse(text[(at + 1)..], out var parsed))
            {
                fault = $"'{text[(at + 1)..]}' is not a sha256, sha384 or sha512 digest";
                return false;
            }
            (name, digest) = (text[..at], parsed);
        }
        if (name.LastIndexOf(':') is >= 0 and var colon && colon > name.LastIndexOf('/'))
            (name, tag) = (name[..colon], name[(colon + 1)..]);
        if (tag is not null && !ImageReference.TryParse($"x:{tag.Replace('*', 'x')}", out _))
        {
            fault = $"'{tag}' is not a valid tag";
            return false;
        }
        if (!name.Contains('*', StringComparison.Ordinal) && !ImageReference.TryParse(name, out _, out var wrong))
        {
            fault = $"invalid image '{name}': {wrong}";
            return false;
        }
        if (!RepositoryPattern.TryParse(Complete(name), out var repository, out fault))
            return false;
        pattern = new ImagePattern(repository, tag, digest);
        return true;
    }

    public bool IsMatch(ImageReference image) =>
        _repository.IsMatch(image)
        && (_tag is null || image.Tag is { } tag && Wildcard.IsMatch(_tag, tag))
        && (_digest is null || _digest == image.Digest);

    /// <summary>
    /// Completes a name without a registry with Docker Hub's, as references are: <c>nginx</c>, <c>bitnami/*</c>, <c>my-*/app</c>. A star in
    /// place of the registry matches any registry.
    /// </summary>
    private static string Complete(string name)
    {
        var host = TargetPrefix.HostOf(name);
        var hasRegistry = name == "**" || host.Length < name.Length && (RegistryName.IsRegistry(host) || host is "*" or "**");
        return hasRegistry ? name : $"{RegistryName.DockerHubText}/{name}";
    }
}
