using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>
/// A registry, or a registry with a repository: <c>docker.io</c>, <c>quay.io/coreos/**</c>. <c>*</c> stands for characters of one
/// segment, <c>**</c> for whole segments: behind the last slash for one or more, elsewhere for none or more. A name of one segment on
/// Docker Hub is completed as references are: <c>docker.io/nginx</c> is docker.io/library/nginx.
/// </summary>
internal sealed class RepositoryPattern
{
    private const string AnySegments = "**";

    private readonly string _registry;
    private readonly string[] _segments;

    private RepositoryPattern(string registry, string[] segments) => (_registry, _segments) = (registry, segments);

    /// <summary>The registry, in which <c>*</c> may stand; <c>**</c> is any.</summary>
    public string Registry => _registry;

    /// <summary>The segments behind the registry; <c>**</c> is any number of them.</summary>
    public IReadOnlyList<string> Segments => _segments;

    public static bool TryParse(string text, [NotNullWhen(true)] out RepositoryPattern? pattern, [NotNullWhen(false)] out string? fault)
    {
        pattern = null;
        var parts = text.Split('/');
        var registry = RegistryName.Normalize(parts[0]);
        fault = Validate(text, registry, parts.AsSpan(1));
        if (fault is not null)
            return false;
        if (registry == RegistryName.DockerHub && parts is [_, not AnySegments])
            parts = [registry, "library", parts[1]];
        pattern = new RepositoryPattern(registry, SegmentsOf(parts));
        return true;
    }

    /// <summary>True when all images that it takes are of one registry.</summary>
    public bool IsOneRegistry => !_registry.Contains('*', StringComparison.Ordinal);

    /// <summary>False when no path is taken by both, whatever the registries are.</summary>
    public bool MayOverlap(RepositoryPattern other)
    {
        foreach (var (own, others) in _segments.Zip(other._segments))
        {
            if (own == AnySegments || others == AnySegments)
                return true;
            var isLiteral = !own.Contains('*', StringComparison.Ordinal) && !others.Contains('*', StringComparison.Ordinal);
            if (isLiteral && own != others)
                return false;
        }
        // What is left of the longer one must take nothing.
        var common = Math.Min(_segments.Length, other._segments.Length);
        return _segments.Skip(common).Concat(other._segments.Skip(common)).All(segment => segment == AnySegments);
    }

    public bool IsMatch(ImageReference image) => IsRegistryMatch(image.Registry) && IsMatch(_segments, image.Repository);

    private bool IsRegistryMatch(string registry) => _registry == AnySegments || Wildcard.IsMatch(_registry, registry);

    /// <summary>
    /// Goes back to the last <c>**</c> alone: whatever an earlier one could take, the last one can. So the time stays linear in text
    /// times pattern, whoever wrote the image.
    /// </summary>
    private static bool IsMatch(ReadOnlySpan<string> pattern, ReadOnlySpan<char> path)
    {
        ReadOnlySpan<string> resumePattern = [];
        ReadOnlySpan<char> resumePath = [];
        while (!pattern.IsEmpty || !path.IsEmpty)
        {
            if (!pattern.IsEmpty && pattern[0] == AnySegments)
            {
                pattern = resumePattern = pattern[1..];
                resumePath = path;
            }
            else if (!pattern.IsEmpty && !path.IsEmpty && Wildcard.IsMatch(pattern[0], FirstOf(path)))
            {
                pattern = pattern[1..];
                path = RestOf(path);
            }
            else
            {
                if (resumePath.IsEmpty)
                    return false;
                path = resumePath = RestOf(resumePath);
                pattern = resumePattern;
            }
        }
        return true;
    }

    private static ReadOnlySpan<char> FirstOf(ReadOnlySpan<char> path) => path.IndexOf('/') is >= 0 and var slash ? path[..slash] : path;

    private static ReadOnlySpan<char> RestOf(ReadOnlySpan<char> path) => path.IndexOf('/') is >= 0 and var slash ? path[(slash + 1)..] : [];

    /// <summary>
    /// The segments behind the registry; <c>**</c> in its place goes on through them, and at the end it takes one or more.
    /// </summary>
    private static string[] SegmentsOf(string[] parts)
    {
        string[] segments = parts.Length == 1 || parts[0] == AnySegments ? [AnySegments, .. parts[1..]] : parts[1..];
        return segments[^1] == AnySegments ? [.. segments[..^1], "*", AnySegments] : segments;
    }

    private static string? Validate(string text, string registry, ReadOnlySpan<string> segments)
    {
        const string Example = "must be a registry, such as docker.io, or a registry with a repository, such as quay.io/coreos/**";
        var plain = registry.Replace("*", "x", StringComparison.Ordinal);
        var isRegistry = registry.Contains('*', StringComparison.Ordinal) || RegistryName.IsRegistry(registry);
        if (!isRegistry || !ImageReference.TryParse($"{plain}.x/x", out _) && !ImageReference.TryParse($"{plain}/x", out _))
            return $"{Example}; '{registry}' is not a registry's host";
        foreach (var segment in segments)
        {
            if (segment.Length == 0)
                return $"{Example}; '{text}' has an empty segment";
            if (segment.Contains(':', StringComparison.Ordinal) || segment.Contains('@', StringComparison.Ordinal))
                return $"{Example}; tags and digests are for matchRegex";
            if (segment != AnySegments && segment.Contains(AnySegments, StringComparison.Ordinal))
                return "may have ** as a whole segment only";
            if (segment.Any(character => char.IsAsciiLetterUpper(character) || char.IsWhiteSpace(character)))
                return $"{Example}; '{segment}' cannot be in a repository's name";
        }
        return null;
    }
}
