using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>Where a rule sends images: a registry with an optional path, below which the source's repository path goes.</summary>
internal static class TargetPrefix
{
    /// <summary>Stands in a target for the name of the image's registry.</summary>
    public const string RegistryPlaceholder = "{registry}";

    /// <summary>What is wrong with a target, or null.</summary>
    public static string? Validate(string target)
    {
        const string Example = "must be a registry with an optional path, such as registry.example.com or registry.example.com/mirror";
        if (target.Contains("://", StringComparison.Ordinal))
            return $"{Example}: without a scheme; plain HTTP is said under registries";
        if (target.EndsWith('/'))
            return $"{Example}: without a slash at the end";
        if (RegistryName.Normalize(target) == RegistryName.DockerHub)
            return "is Docker Hub itself, where images are read from; name a registry of yours, or an organisation: docker.io/my-org";
        var host = HostOf(target);
        if (!RegistryName.IsRegistry(host))
            return $"{Example}: '{host}' would be taken for a path of Docker Hub; give it a domain or a port";
        if (host.Contains(RegistryPlaceholder, StringComparison.Ordinal))
            return $"{Example}: {RegistryPlaceholder} must be in the path";
        return
            ImageReference.TryParse($"{target.Replace(RegistryPlaceholder, "x", StringComparison.Ordinal)}/x", out var image, out var fault)
            && image.Tag is null
            && image.Digest is null
            ? null
            : $"{Example}: {fault ?? "without tag and digest"}";
    }

    /// <summary>The text before the first slash.</summary>
    public static string HostOf(string target) => target.IndexOf('/') is >= 0 and var slash ? target[..slash] : target;

    /// <summary>True for a target that says where the name of the image's registry goes.</summary>
    public static bool KeepsRegistry(string target) => target.Contains(RegistryPlaceholder, StringComparison.Ordinal);

    /// <summary>
    /// What every image at a target begins with, normalised; up to the registry's name where the target keeps it.
    /// </summary>
    public static string PrefixOf(string target) => Split(target).Prefix;

    /// <summary>
    /// The texts before and behind the name of the image's registry, the latter ending in a slash; null behind where the target does not
    /// keep it.
    /// </summary>
    public static (string Prefix, string? Suffix) Split(string target)
    {
        var at = target.IndexOf(RegistryPlaceholder, StringComparison.Ordinal);
        if (at < 0)
            return (ImageReference.Parse($"{target}/x").Name[..^1], null);
        var host = HostOf(target);
        return (
            string.Concat(RegistryName.Normalize(host), target.AsSpan(host.Length, at - host.Length)),
            $"{target[(at + RegistryPlaceholder.Length)..]}/"
        );
    }

    /// <summary>A registry's name as part of a path: what may not be in one, the port's colon, becomes an underscore.</summary>
    public static string PathOf(string registry) => registry.Replace(':', '_');
}
