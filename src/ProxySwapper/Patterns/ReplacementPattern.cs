using System.Text.RegularExpressions;
using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>
/// The replacement of a regular expression's rule: a text with <c>$1</c>, or one fixed image. It starts with the target registry written
/// out, so that an image that is already there can be recognised.
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
            return "must start with the target registry and a slash, such as "
                + "'localhost:5000/$1', so that images already there are recognised";
        if (RegistryName.ValidateLimits(TargetPrefix.HostOf(prefix)) is { } limit)
            return $"must start with the target registry; {limit}";
        if (prefix == $"{RegistryName.DockerHubText}/")
            return "could point anywhere on Docker Hub, where images come from; name a "
                + "registry of your own, or an organisation: 'docker.io/my-org/$1'";
        if (pattern is null)
            return null;
        foreach (Match group in GroupReference().Matches(replacement.Replace("$$", "", StringComparison.Ordinal)))
            if (!pattern.GetGroupNames().Contains(group.Groups[1].Value + group.Groups[2].Value))
                return $"uses the group {group.Value}, which matchRegex does not define";
        // Checked with a sample in place of the groups; what real groups give is only known for a real image.
        var sample = GroupReference()
            .Replace(replacement, group => group.Index > 0 && replacement[group.Index - 1] == '@' ? SampleDigest : "x");
        return ImageReference.TryParse(sample, out _, out var fault)
            ? null
            : $"is not a valid image reference with 'x' in place of its groups: {fault}";
    }

    /// <summary>True for a replacement without groups: every image the rule matches becomes the same one.</summary>
    public static bool IsImage(string replacement) => !replacement.Contains('$', StringComparison.Ordinal);

    /// <summary>True for a replacement that names content by its digest, and no tag of its own: pulls use the digest.</summary>
    public static bool IsByDigest(string replacement) =>
        replacement.IndexOf('@') is >= 0 and var at && !replacement[(replacement.LastIndexOf('/', at) + 1)..at].Contains(':');

    /// <summary>The text before the first group, as references are normalised.</summary>
    public static string PrefixOf(string replacement)
    {
        var prefix = IsImage(replacement) ? replacement : replacement[..replacement.IndexOf('$')];
        var host = TargetPrefix.HostOf(prefix);
        return host.Length < prefix.Length && RegistryName.TryParse(host, out var registry)
            ? string.Concat(registry.Text, prefix.AsSpan(host.Length))
            : prefix;
    }

    [GeneratedRegex(@"\$(?:(\d+)|\{(\w+)\})")]
    private static partial Regex GroupReference();
}
