using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Configuration;

/// <summary>Reads platforms as people write them: <c>linux/amd64</c>, <c>linux/arm/v7</c>.</summary>
internal static class PlatformParser
{
    private const string Allowed = "must be os/architecture or os/architecture/variant, such as linux/arm64";

    public static IReadOnlyList<Platform> Read(YamlSection section, string key)
    {
        var platforms = new List<Platform>();
        section.Strings(
            key,
            text =>
            {
                if (!Platform.TryParse(text, out var platform))
                    return Allowed;
                platforms.Add(platform);
                return null;
            }
        );
        return platforms;
    }

    public static Platform? ReadOne(YamlSection section, string key)
    {
        if (section.String(key) is not { } text)
            return null;
        if (Platform.TryParse(text, out var platform))
            return platform;
        section.Fault(key, Allowed);
        return null;
    }
}
