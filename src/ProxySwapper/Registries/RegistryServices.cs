using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registries;

/// <summary>Clients, credentials and the copier for all registries, created once from <c>registries</c> of the configuration.</summary>
internal sealed class RegistryServices : IDisposable
{
    private RegistryServices(
        RegistryClients clients,
        IRegistryCredentialSource credentials,
        ImageCopier copier,
        EcrRepositoryCreator repositories
    ) => (Clients, Credentials, Copier, Repositories) = (clients, credentials, copier, repositories);

    public RegistryClients Clients { get; }

    public IRegistryCredentialSource Credentials { get; }

    public ImageCopier Copier { get; }

    public EcrRepositoryCreator Repositories { get; }

    /// <param name="registries">The entries of the configuration.</param>
    /// <param name="environment">Names credentials. The SDKs of AWS and Google read the process's own.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">The log.</param>
    /// <param name="tune">Changes the options of all hosts, such as retries; null keeps the defaults.</param>
    /// <param name="credentials">
    /// Credentials shared with another instance for the same registries, so that no cloud is called twice; null creates them.
    /// </param>
    /// <param name="current">
    /// The current entries, where they may change: repositories are created accordingly. Null: those at the start.
    /// </param>
    public static RegistryServices Create(
        IReadOnlyList<RegistryEntryOptions> registries,
        EnvironmentVariables environment,
        TimeProvider time,
        ILoggerFactory loggers,
        Func<RegistryOptions, RegistryOptions>? tune = null,
        IRegistryCredentialSource? credentials = null,
        Func<IReadOnlyList<RegistryEntryOptions>>? current = null
    )
    {
        var options = OptionsOf(registries);
        var clients = new RegistryClients(tune is null ? options : tune(options), time, loggers);
        return new RegistryServices(
            clients,
            credentials ?? CredentialsOf(registries, clients, environment, time, loggers),
            new ImageCopier(clients, time, loggers.CreateLogger<ImageCopier>()),
            new EcrRepositoryCreator(current ?? (() => registries), time, loggers.CreateLogger<EcrRepositoryCreator>())
        );
    }

    public void Dispose() => Clients.Dispose();

    internal static RegistryOptions OptionsOf(IReadOnlyList<RegistryEntryOptions> registries) =>
        new() { Hosts = registries.ToDictionary(entry => entry.Host, HostOf) };

    private static CredentialChain CredentialsOf(
        IReadOnlyList<RegistryEntryOptions> registries,
        RegistryClients clients,
        EnvironmentVariables environment,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        var clouds = new CloudCredentials(registries, clients, environment, time, loggers);
        return new CredentialChain([
            new ConfiguredCredentialSource(registries, environment, clouds.Of),
            .. DockerConfigSource.Defaults(environment),
            .. clouds.All,
        ]);
    }

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
