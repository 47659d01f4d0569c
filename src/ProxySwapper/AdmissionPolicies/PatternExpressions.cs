using System.Text;
using ProxySwapper.Patterns;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Patterns of rules and ignore lists, as conditions on a normalised reference <c>r.text</c>, or on a namespace.</summary>
internal static class PatternExpressions
{
    private const string Text = "r.text";
    private const string AnySegments = "**";

    /// <summary>Always true.</summary>
    public static CelExpression Always { get; } = new("true", 1);

    /// <summary>The reference starts with this text.</summary>
    public static CelExpression StartsWith(string prefix) => new($"{Text}.startsWith({CelText.Quote(prefix)})", CelCost.OfText(prefix));

    /// <summary>
    /// The same of an image as it is written, if the condition is that the reference starts with a registry's name: then both do.
    /// </summary>
    /// <param name="condition">One condition on the reference, not several that are combined.</param>
    /// <param name="image">The image in CEL.</param>
    /// <returns>The expression, or null for another condition.</returns>
    public static string? AsWritten(CelExpression condition, string image) =>
        condition.Expression.StartsWith($"{Text}.startsWith(", StringComparison.Ordinal)
            ? image + condition.Expression[Text.Length..]
            : null;

    /// <summary>The reference equals this text.</summary>
    public static CelExpression Equals(string reference) => new($"{Text} == {CelText.Quote(reference)}", CelCost.OfText(reference));

    /// <summary>The whole reference matches this regular expression.</summary>
    public static CelExpression Matches(string pattern) => new($"{Text}.matches({CelText.Pattern(pattern)})", CelCost.OfPattern(pattern));

    /// <summary>A registry, or repositories of registries, with any tag or digest.</summary>
    public static CelExpression Of(RepositoryPattern pattern)
    {
        if (pattern is { Registry: AnySegments, Segments: ["*", AnySegments] })
            return Always;
        var isOpen = pattern.Segments is [.., "*", AnySegments];
        var segments = isOpen ? pattern.Segments.Take(pattern.Segments.Count - 2) : pattern.Segments;
        string[] parts = [pattern.Registry, .. segments];
        if (parts.Any(part => part.Contains('*', StringComparison.Ordinal)))
            return Matches($"^{Names(parts)}{(isOpen ? "/" : "[:@]")}");
        var name = string.Join('/', parts);
        return isOpen ? StartsWith($"{name}/") : CelExpression.Any([StartsWith($"{name}:"), StartsWith($"{name}@")]);
    }

    /// <summary>Images to ignore: a repository pattern, optionally with a tag, which may contain <c>*</c>, or a digest.</summary>
    public static CelExpression Of(ImagePattern pattern)
    {
        if (pattern is { Tag: null, PinnedDigest: null })
            return Of(pattern.Repository);
        string[] parts = [pattern.Repository.Registry, .. pattern.Repository.Segments];
        var digest = pattern.PinnedDigest?.ToString();
        var name = string.Join('/', parts);
        if (!name.Contains('*', StringComparison.Ordinal) && pattern.Tag is { } tag && !tag.Contains('*', StringComparison.Ordinal))
            return digest is null
                ? CelExpression.Any([Equals($"{name}:{tag}"), StartsWith($"{name}:{tag}@")])
                : Equals($"{name}:{tag}@{digest}");
        var tags = pattern.Tag is { } wildcard ? $":{Wildcard(wildcard, "[^@]*")}" : "(?::[^@]*)?";
        return Matches($"^{Names(parts)}{tags}{(digest is null ? "(?:@.*)?" : $"@{digest}")}$");
    }

    /// <summary>The request's namespace is one of these, where <c>*</c> matches any characters.</summary>
    public static CelExpression OfNamespaces(IReadOnlyList<string> patterns) => CelExpression.Any([.. patterns.Select(OfNamespace)]);

    /// <summary>A controller, <c>group/Kind</c>, is one of these, where <c>*</c> matches any characters of either part.</summary>
    public static string OfOwners(string owner, IReadOnlyList<string> patterns) =>
        string.Join(
            " || ",
            patterns.Select(pattern =>
                pattern.Contains('*', StringComparison.Ordinal)
                    ? $"{owner}.matches({CelText.Pattern($"^{Wildcard(pattern, "[^/]*")}$")})"
                    : $"{owner} == {CelText.Quote(pattern)}"
            )
        );

    private static CelExpression OfNamespace(string pattern)
    {
        const string Namespace = "request.namespace";
        var stars = pattern.Count(character => character == '*');
        var cost = CelCost.OfText(pattern);
        if (stars == 0)
            return new($"{Namespace} == {CelText.Quote(pattern)}", cost);
        if (pattern.All(character => character == '*'))
            return Always;
        return stars == 1 && pattern.EndsWith('*')
            ? new($"{Namespace}.startsWith({CelText.Quote(pattern[..^1])})", cost)
            : new($"{Namespace}.matches({CelText.Pattern($"^{Wildcard(pattern, ".*")}$")})", CelCost.OfPattern(pattern));
    }

    /// <summary>Registry and segments as a regular expression.</summary>
    private static string Names(ReadOnlySpan<string> parts)
    {
        var names = new StringBuilder(parts[0] == AnySegments ? "[^/]*" : Wildcard(parts[0], "[^/]*"));
        foreach (var part in parts[1..])
            names.Append(part == AnySegments ? "(?:/[^/:@]*)*" : $"/{Wildcard(part, "[^/:@]*")}");
        return names.ToString();
    }

    private static string Wildcard(string text, string star) =>
        string.Concat(text.Select(character => character == '*' ? star : PortableRegex.Escape(character)));
}
