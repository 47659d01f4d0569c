using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>
/// A registry, or a registry with a repository: <c>docker.io</c>, <c>quay.io/coreos/**</c>. <c>*</c> matches characters within one segment.
/// <c>**</c> matches whole segments: one or more at the end, none or more elsewhere. One-segment names on Docker Hub are completed as
/// references are: <c>docker.io/nginx</c> is docker.io/library/nginx.
/// </summary>
internal sealed class RepositoryPattern
{
    private const string AnySegments = "**";

    private readonly string _registry;
    private readonly string[] _segments;

    private RepositoryPattern(string registry, string[] segments) => (_registry, _segments) = (registry, segments);

    /// <summary>The registry, which may contain <c>*</c>; <c>**</c> matches any.</summary>
    public string Registry => _registry;

    /// <summary>The segments after the registry; <c>**</c> matches any number of them.</summary>
    public IReadOnlyList<string> Segments => _segments;

    public static bool TryParse(string text, [NotNullWhen(true)] out RepositoryPattern? pattern, [NotNullWhen(false)] out string? fault)
    {
        pattern = null;
        var parts = text.Split('/');
        var registry = RegistryName.Normalize(parts[0]);
        fault = Validate(text, registry, parts.AsSpan(1));
        if (fault is not null)
            return false;
        if (registry == RegistryName.DockerHubText && parts is [_, not AnySegments])
            parts = [registry, "library", parts[1]];
        pattern = new RepositoryPattern(registry, SegmentsOf(parts));
        return true;
    }

    /// <summary>True when all matching images are of one registry.</summary>
    public bool IsOneRegistry => !_registry.Contains('*', StringComparison.Ordinal);

    /// <summary>False when no path can match both, whatever the registries are.</summary>
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
        // The rest of the longer one must match the empty path.
        var common = Math.Min(_segments.Length, other._segments.Length);
        return _segments.Skip(common).Concat(other._segments.Skip(common)).All(segment => segment == AnySegments);
    }

    public bool IsMatch(ImageReference image) => IsRegistryMatch(image.Registry.Text) && IsMatch(_segments, image.Repository);

    private bool IsRegistryMatch(string registry) => _registry == AnySegments || Wildcard.IsMatch(_registry, registry);

    /// <summary>
    /// Backtracks to the last <c>**</c> only: whatever an earlier one could match, the last one can too. The time stays linear in text
    /// times pattern, whatever the image.
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
    /// The segments after the registry. <c>**</c> as the registry continues into the segments; at the end it matches one or more.
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
            return $"{Example}; '{registry}' is not a registry host";
        if (RegistryName.ValidateLimits(registry) is { } limit)
            return $"{Example}; {limit}";
        foreach (var segment in segments)
        {
            if (segment.Length == 0)
                return $"{Example}; '{text}' has an empty segment";
            if (segment.Contains(':', StringComparison.Ordinal) || segment.Contains('@', StringComparison.Ordinal))
                return $"{Example}; use matchRegex to match tags or digests";
            if (segment != AnySegments && segment.Contains(AnySegments, StringComparison.Ordinal))
                return "can contain ** only as a whole segment";
            // With a letter in place of a star it is valid, or nothing that it matches is.
            if (!ImageReference.TryParse($"x.x/{segment.Replace("*", "x", StringComparison.Ordinal)}", out _))
                return $"{Example}; '{segment}' is not valid in a repository name";
        }
        return null;
    }
}
