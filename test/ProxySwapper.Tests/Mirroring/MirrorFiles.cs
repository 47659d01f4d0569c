using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Mirroring;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>Mirror files for tests, and runs over them.</summary>
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

    /// <summary>One run over a file with this text.</summary>
    public static async Task<MirrorReport> RunAsync(
        string text,
        MirrorSettings? settings = null,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default
    )
    {
        using var log = new CapturedLog();
        var file = Read(text);
        using var access = RegistryServices.Create(file.Registries, EnvironmentVariables.None, time ?? TimeProvider.System, log);
        return await MirrorRun
            .Create(file, settings ?? new(), access, new RecordingOutput(), time ?? TimeProvider.System, NullLogger.Instance)
            .RunAsync(cancellationToken);
    }
}
