using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>Where a rule sends images: a registry with an optional path, to which the source's repository path is appended.</summary>
internal static class TargetPrefix
{
    /// <summary>The placeholder for the name of the image's registry.</summary>
    public const string RegistryPlaceholder = "{registry}";

    /// <summary>What is wrong with a target, or null.</summary>
    public static string? Validate(string target)
    {
        const string Example = "must be a registry with an optional path, such as registry.example.com or registry.example.com/mirror";
        if (target.Contains("://", StringComparison.Ordinal))
            return $"{Example}: without a scheme; use plainHttp under registries for HTTP";
        if (target.EndsWith('/'))
            return $"{Example}: without a trailing slash";
        if (RegistryName.TryParse(target, out var registry) && registry.IsDockerHub)
            return "is Docker Hub itself, where images come from; name a registry of your own, or an organisation: docker.io/my-org";
        var host = HostOf(target);
        if (!RegistryName.IsRegistry(host))
            return $"{Example}: '{host}' would be read as a path on Docker Hub; add a domain or a port";
        if (host.Contains(RegistryPlaceholder, StringComparison.Ordinal))
            return $"{Example}: {RegistryPlaceholder} must be in the path";
        if (
            RegistryName.TryParse(host, out registry)
            && registry.IsDockerHub
            && target.AsSpan(host.Length).StartsWith($"/{RegistryPlaceholder}")
        )
            return "could be any organisation on Docker Hub, where images come from; name a registry of your own, or an organisation: "
                + $"docker.io/my-org/{RegistryPlaceholder}";
        if (RegistryName.ValidateLimits(host) is { } limit)
            return $"{Example}; {limit}";
        return
            ImageReference.TryParse($"{target.Replace(RegistryPlaceholder, "x", StringComparison.Ordinal)}/x", out var image, out var fault)
            && image.Tag is null
            && image.Digest is null
            ? null
            : $"{Example}: {fault ?? "without tag and digest"}";
    }

    /// <summary>The text before the first slash.</summary>
    public static string HostOf(string target) => target.IndexOf('/') is >= 0 and var slash ? target[..slash] : target;

    /// <summary>True for a target with <see cref="RegistryPlaceholder"/>.</summary>
    public static bool KeepsRegistry(string target) => target.Contains(RegistryPlaceholder, StringComparison.Ordinal);

    /// <summary>The normalised prefix of every image at this target, up to the registry's name where the target contains it.</summary>
    public static string PrefixOf(string target) => Split(target).Prefix;

    /// <summary>
    /// The texts before and after the name of the image's registry, the latter with a trailing slash; null after it where the target does
    /// not contain the name.
    /// </summary>
    public static (string Prefix, string? Suffix) Split(string target)
    {
        var at = target.IndexOf(RegistryPlaceholder, StringComparison.Ordinal);
        if (at < 0)
            return (ImageReference.Parse($"{target}/x").Name[..^1], null);
        var host = HostOf(target);
        return (
            string.Concat(RegistryName.Parse(host).Text, target.AsSpan(host.Length, at - host.Length)),
            $"{target[(at + RegistryPlaceholder.Length)..]}/"
        );
    }

    /// <summary>A registry's name as part of a path: the colon before a port is not allowed there and becomes an underscore.</summary>
    public static string PathOf(string registry) => registry.Replace(':', '_');
}
