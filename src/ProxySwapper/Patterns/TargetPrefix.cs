using ProxySwapper.Registry;

namespace ProxySwapper.Patterns;

/// <summary>Where a rule sends images: a registry with an optional path, below which the source's repository path goes.</summary>
internal static class TargetPrefix
{
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
        return ImageReference.TryParse($"{target}/x", out var image, out var fault) && image.Tag is null && image.Digest is null
            ? null
            : $"{Example}: {fault ?? "without tag and digest"}";
    }

    /// <summary>The text before the first slash.</summary>
    public static string HostOf(string target) => target.IndexOf('/') is >= 0 and var slash ? target[..slash] : target;

    /// <summary>What every image at a target begins with.</summary>
    public static string PrefixOf(string target) => ImageReference.Parse($"{target}/x").Name[..^1];
}
