using System.Text.RegularExpressions;

namespace ProxySwapper.Tests.Registry;

/// <summary>The grammar of references as regular expressions: slow, short, and independent of the parser under test.</summary>
internal static partial class ReferenceOracle
{
    /// <summary>The normalised reference, or null for invalid text.</summary>
    public static string? Normalise(string text)
    {
        if (text.Length > 1024 || Identifier().IsMatch(text))
            return null;
        var match = Reference().Match(WithRegistry(text));
        return match.Success && match.Groups["path"].Length <= 255 ? match.Value : null;
    }

    private static string WithRegistry(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : text[..slash];
        var isRegistry = first == "localhost" || Registry().IsMatch(first);
        var (registry, rest) = isRegistry ? (Host(first), text[(slash + 1)..]) : ("docker.io", text);
        var official = registry == "docker.io" && !rest.Split('@')[0].Contains('/', StringComparison.Ordinal) ? "library/" : "";
        return $"{registry}/{official}{rest}";
    }

    /// <summary>The canonical name of a host: lower case, without the default port, Docker Hub's aliases replaced.</summary>
    private static string Host(string host)
    {
        if (Named().IsMatch(host))
            host = host.ToLowerInvariant();
        var bare = DefaultPort().Replace(host, "");
        if (Named().IsMatch(bare))
            host = bare;
        return Aliases().Replace(host, "docker.io");
    }

    [GeneratedRegex("(?<=[^:]):443$")]
    private static partial Regex DefaultPort();

    [GeneratedRegex(@"[.:]|^localhost$")]
    private static partial Regex Named();

    [GeneratedRegex(@"^(index\.docker\.io|registry-1\.docker\.io|registry\.hub\.docker\.com)$")]
    private static partial Regex Aliases();

    [GeneratedRegex(@"\A(sha256:)?[0-9a-f]{64}\z")]
    private static partial Regex Identifier();

    [GeneratedRegex("[.:A-Z]")]
    private static partial Regex Registry();

    [GeneratedRegex(
        """
            \A
            (?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?
            /(?<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)
            (?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?
            (?:@(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?
            \z
            """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Reference();
}
