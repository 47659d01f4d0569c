using System.Buffers;

namespace ProxySwapper.Registry;

/// <summary>The productions of distribution/reference, each a scan over characters: no regular expression, no allocation.</summary>
internal static class ImageReferenceGrammar
{
    /// <summary>Longer than any valid reference (a host of 255, a path of 255, a tag of 128, a sha512 digest).</summary>
    public const int MaximumLength = 1024;

    private const int MaximumPathLength = 255;
    private const int MaximumTagLength = 128;
    private const string IdentifierPrefix = "sha256:";
    private const string OfficialNamespace = "library/";

    private static readonly SearchValues<char> LowerAlphanumerics = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly SearchValues<char> TagCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
    );

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>
    /// 64 lower-case hex digits, with or without <c>sha256:</c>, which kubelet and engines treat as the ID of an image on the node.
    /// </summary>
    public static bool IsBareIdentifier(ReadOnlySpan<char> text)
    {
        var hex = text.StartsWith(IdentifierPrefix) ? text[IdentifierPrefix.Length..] : text;
        return hex.Length == 64 && !hex.ContainsAnyExcept(HexDigits);
    }

    /// <summary>The first segment if it is a registry; empty if the whole is a path in the default registry.</summary>
    public static ReadOnlySpan<char> RegistryOf(ReadOnlySpan<char> name)
    {
        var slash = name.IndexOf('/');
        var first = slash < 0 ? [] : name[..slash];
        return RegistryName.IsRegistry(first) || HasUpper(first) ? first : [];
    }

    /// <summary>The repository's full path: official images get their namespace.</summary>
    public static string Repository(RegistryName registry, ReadOnlySpan<char> path) =>
        registry.IsDockerHub && !path.Contains('/') ? string.Concat(OfficialNamespace, path) : path.ToString();

    /// <summary>Why the registry's segment, empty for Docker Hub, and the path are not a valid name, briefly; null if they are.</summary>
    public static string? Validate(ReadOnlySpan<char> segment, ReadOnlySpan<char> path, out RegistryName registry) =>
        RegistryName.TryParseSegment(segment, out registry) || path.IsEmpty
            ? Validate(registry, path)
            : $"'{RegistryName.Normalize(segment)}' is not a registry host";

    /// <summary>Why a path is not a valid repository of a registry, briefly; null if it is.</summary>
    public static string? Validate(RegistryName registry, ReadOnlySpan<char> path)
    {
        if (path.IsEmpty)
            return "it has no repository";
        if (HasUpper(path))
            return "its repository has upper-case letters";
        if (!IsPath(path))
            return "its repository must consist of lower-case letters and digits, separated by '.', '_', '__' or '-'";
        return LengthOf(registry, path) > MaximumPathLength ? $"its repository is longer than {MaximumPathLength}" : null;
    }

    private static int LengthOf(RegistryName registry, ReadOnlySpan<char> path) =>
        path.Length + (registry.IsDockerHub && !path.Contains('/') ? OfficialNamespace.Length : 0);

    /// <summary>A tag: 1 to 128 word characters, dots and dashes, the first a word character.</summary>
    public static bool IsTag(ReadOnlySpan<char> tag) =>
        tag.Length is > 0 and <= MaximumTagLength && tag[0] is not ('.' or '-') && !tag.ContainsAnyExcept(TagCharacters);

    private static bool IsPath(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
            if (!IsPathComponent(path[range]))
                return false;
        return true;
    }

    private static bool IsPathComponent(ReadOnlySpan<char> component)
    {
        while (true)
        {
            var end = component.IndexOfAnyExcept(LowerAlphanumerics);
            if (end < 0)
                return !component.IsEmpty;
            if (end == 0)
                return false;
            component = component[end..];
            var separator = component.IndexOfAny(LowerAlphanumerics);
            if (separator < 0 || !IsSeparator(component[..separator]))
                return false;
            component = component[separator..];
        }
    }

    private static bool IsSeparator(ReadOnlySpan<char> separator) => separator is "." or "_" or "__" || !separator.ContainsAnyExcept('-');

    private static bool HasUpper(ReadOnlySpan<char> text) => text.ContainsAnyInRange('A', 'Z');
}
