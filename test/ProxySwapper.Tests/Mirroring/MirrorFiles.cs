using ProxySwapper.Mirroring;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Mirror files for tests.</summary>
internal static class MirrorFiles
{
    /// <summary>The image of a file with these settings, as a YAML mapping in one line; '-' for none.</summary>
    public static MirrorImage Image(string settings) =>
        Read(
            $"images: {{x: {{source: docker.io/team/x, destination: registry.example/x{(settings == "-" ? "" : ", " + settings)}}}}}"
        ).Images[0];

    /// <exception cref="ProxySwapper.Configuration.Yaml.ConfigurationException">The text has faults.</exception>
    public static MirrorFile Read(string text)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            return MirrorFileReader.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
