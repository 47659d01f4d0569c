using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.Rules;

/// <summary>
/// A registry, or a registry with a repository: <c>docker.io</c>, <c>quay.io/coreos/**</c>. <c>*</c> stands for characters of one
/// segment, <c>**</c> for whole segments: behind the last slash for one or more, elsewhere for none or more.
/// </summary>
internal sealed class RepositoryPattern
{
    private const string AnySegments = "**";

    private readonly string _registry;
    private readonly string[] _segments;

    private RepositoryPattern(string registry, string[] segments) => (_registry, _segments) = (registry, segments);

    public static bool TryParse(string text, [NotNullWhen(true)] out RepositoryPattern? pattern, [NotNullWhen(false)] out string? fault)
    {
        pattern = null;
        var parts = text.Split('/');
        var registry = parts[0] is "index.docker.io" ? "docker.io" : parts[0];
        fault = FaultOf(text, registry, parts.AsSpan(1));
        if (fault is not null) return false;
        // The whole of a registry: any segments.
        pattern = new RepositoryPattern(registry, parts.Length == 1 ? [AnySegments] : parts[1..]);
        return true;
    }

    public bool Takes(ImageReference image) => TakesRegistry(image.Registry) && Takes(_segments, image.Repository);

    private bool TakesRegistry(string registry) => _registry == AnySegments || WildcardText.Takes(_registry, registry);

    private static bool Takes(ReadOnlySpan<string> pattern, ReadOnlySpan<char> path)
    {
        while (!pattern.IsEmpty)
        {
            if (pattern[0] == AnySegments) return TakesAfterAny(pattern[1..], path);
            if (path.IsEmpty) return false;
            var slash = path.IndexOf('/');
            var segment = slash < 0 ? path : path[..slash];
            if (!WildcardText.Takes(pattern[0], segment)) return false;
            path = slash < 0 ? [] : path[(slash + 1)..];
            pattern = pattern[1..];
        }
        return path.IsEmpty;
    }

    private static bool TakesAfterAny(ReadOnlySpan<string> rest, ReadOnlySpan<char> path)
    {
        if (rest.IsEmpty) return !path.IsEmpty;
        while (true)
        {
            if (Takes(rest, path)) return true;
            var slash = path.IndexOf('/');
            if (slash < 0) return false;
            path = path[(slash + 1)..];
        }
    }

    private static string? FaultOf(string text, string registry, ReadOnlySpan<string> segments)
    {
        const string Example = "must be a registry, such as docker.io, or a registry with a repository, such as quay.io/coreos/**";
        var plain = registry.Replace("*", "x", StringComparison.Ordinal);
        var isRegistry = registry.Contains('*', StringComparison.Ordinal) || registry.AsSpan().ContainsAny('.', ':') || registry == "localhost";
        if (!isRegistry || !ImageReference.TryParse($"{plain}.x/x", out _) && !ImageReference.TryParse($"{plain}/x", out _)) return $"{Example}; '{registry}' is no registry's host";
        foreach (var segment in segments)
        {
            if (segment.Length == 0) return $"{Example}; '{text}' has an empty segment";
            if (segment.Contains(':', StringComparison.Ordinal) || segment.Contains('@', StringComparison.Ordinal)) return $"{Example}; tags and digests are for matchRegex";
            if (segment != AnySegments && segment.Contains(AnySegments, StringComparison.Ordinal)) return "may have ** as a whole segment only";
            if (segment.Any(character => char.IsAsciiLetterUpper(character) || char.IsWhiteSpace(character))) return $"{Example}; '{segment}' cannot be in a repository's name";
        }
        return null;
    }
}
