using System.Text.RegularExpressions;
using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>
/// What a regular expression's rule makes of an image: a text with <c>$1</c>, or one image for all. It begins with the target's registry
/// written out, since that is how an image that went there already is recognised.
/// </summary>
internal static partial class ReplacementPattern
{
    private static readonly string SampleDigest = $"sha256:{new string('0', 64)}";

    /// <summary>What is wrong with a replacement, or null.</summary>
    public static string? Validate(string replacement, Regex? pattern)
    {
        if (replacement.Contains("://", StringComparison.Ordinal))
            return "must be a reference without a scheme";
        var prefix = PrefixOf(replacement);
        if (!(prefix.Contains('/', StringComparison.Ordinal) && RegistryName.IsRegistry(TargetPrefix.HostOf(prefix))))
            return "must begin with the target's registry written out and a slash, such as "
                + "'localhost:5000/$1', so that an image that is there already is recognised";
        if (prefix == $"{RegistryName.DockerHub}/")
            return "may go anywhere on Docker Hub, where images are read from; name a "
                + "registry of yours, or an organisation: 'docker.io/my-org/$1'";
        if (pattern is null)
            return null;
        foreach (Match group in GroupReference().Matches(replacement.Replace("$$", "", StringComparison.Ordinal)))
            if (!pattern.GetGroupNames().Contains(group.Groups[1].Value + group.Groups[2].Value))
                return $"names the group {group.Value}, which matchRegex does not have";
        // A sample stands for the groups: with it, the whole must be a reference. What real groups make of it only a request can show.
        var sample = GroupReference()
            .Replace(replacement, group => group.Index > 0 && replacement[group.Index - 1] == '@' ? SampleDigest : "x");
        return ImageReference.TryParse(sample, out _, out var fault)
            ? null
            : $"is not an image reference when 'x' stands for its groups: {fault}";
    }

    /// <summary>True for a replacement without groups: all that the rule takes becomes one image.</summary>
    public static bool IsImage(string replacement) => !replacement.Contains('$', StringComparison.Ordinal);

    /// <summary>The text before the first group, as references are normalised.</summary>
    public static string PrefixOf(string replacement)
    {
        var prefix = IsImage(replacement) ? replacement : replacement[..replacement.IndexOf('$')];
        var host = TargetPrefix.HostOf(prefix);
        return host.Length < prefix.Length ? string.Concat(RegistryName.Normalize(host), prefix.AsSpan(host.Length)) : prefix;
    }

    [GeneratedRegex(@"\$(?:(\d+)|\{(\w+)\})")]
    private static partial Regex GroupReference();
}
