using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Registries;

/// <summary>Everything that talks to registries, made once from <c>registries</c> of the configuration: clients, credentials, the copier.</summary>
internal sealed class RegistryAccess : IDisposable
{
    private RegistryAccess(RegistryClients clients, IRegistryCredentialSource credentials, ImageCopier copier) =>
        (Clients, Credentials, Copier) = (clients, credentials, copier);

    public RegistryClients Clients { get; }

    public IRegistryCredentialSource Credentials { get; }

    public ImageCopier Copier { get; }

    /// <param name="registries">The entries of the configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">The log.</param>
    /// <param name="tune">Changes what holds for all hosts, such as retries; null leaves the defaults.</param>
    public static RegistryAccess Create(
        IReadOnlyList<RegistryEntryOptions> registries, TimeProvider time, ILoggerFactory loggers, Func<RegistryOptions, RegistryOptions>? tune = null)
    {
        var options = OptionsOf(registries);
        var clients = new RegistryClients(tune is null ? options : tune(options), time, loggers);
        Func<string, string?> environment = Environment.GetEnvironmentVariable;
        var credentials = new CredentialChain(
        [
            new ConfiguredCredentialSource(registries, environment),
            .. DockerConfigSource.Defaults(environment),
            new GoogleCredentialSource(GoogleHostsOf(registries), time, loggers.CreateLogger<GoogleCredentialSource>()),
        ]);
        return new RegistryAccess(clients, credentials, new ImageCopier(clients, time, loggers.CreateLogger<ImageCopier>()));
    }

    public void Dispose() => Clients.Dispose();

    internal static RegistryOptions OptionsOf(IReadOnlyList<RegistryEntryOptions> registries) => new()
    {
        Hosts = registries.ToDictionary(entry => entry.Host, HostOf),
    };

    /// <summary>The hosts that the configuration says are Google's, with a key file of their own or null.</summary>
    private static Dictionary<string, string?> GoogleHostsOf(IEnumerable<RegistryEntryOptions> registries) =>
        registries.Where(entry => entry.Auth == RegistryAuth.Google || entry.GoogleKeyFile is not null).ToDictionary(entry => entry.Host, entry => entry.GoogleKeyFile);

    private static RegistryHostOptions HostOf(RegistryEntryOptions entry)
    {
        var defaults = new RegistryHostOptions();
        return new RegistryHostOptions
        {
            PlainHttp = entry.PlainHttp,
            CaFile = entry.CaFile,
            InsecureSkipTlsVerify = entry.InsecureSkipTlsVerify,
            MaxConcurrency = entry.MaxConcurrency ?? defaults.MaxConcurrency,
            RequestsPerSecond = entry.RequestsPerSecond,
        };
    }
}
