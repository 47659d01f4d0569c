using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Clouds.Azure;
using ProxySwapper.Registry.Clouds.Google;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registries;

/// <summary>The clouds' sources of credentials, configured by the entries of <c>registries</c>.</summary>
internal sealed class CloudCredentials
{
    private readonly CloudCredentialSource _ecr;
    private readonly CloudCredentialSource _google;
    private readonly CloudCredentialSource _azure;

    public CloudCredentials(
        IReadOnlyList<RegistryEntryOptions> registries,
        RegistryClients clients,
        EnvironmentVariables environment,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        var ecr = EcrAccountsOf(registries);
        _ecr = new(
            host => ecr.ContainsKey(host) || EcrHost.Parse(host) is not null,
            () => new EcrCredentialSource(ecr, time, loggers.CreateLogger<EcrCredentialSource>())
        );
        var google = GoogleHostsOf(registries);
        _google = new(
            host => google.ContainsKey(host) || GoogleCredentialSource.IsGoogle(host),
            () => new GoogleCredentialSource(google, time, loggers.CreateLogger<GoogleCredentialSource>())
        );
        var azure = AzureAccountsOf(registries);
        _azure = new(
            host => azure.ContainsKey(host) || AzureCredentialSource.IsAzure(host),
            () => new AzureCredentialSource(azure, clients, environment, time, loggers.CreateLogger<AzureCredentialSource>())
        );
    }

    /// <summary>All sources; each recognises its own hosts.</summary>
    public IReadOnlyList<IRegistryCredentialSource> All => [_ecr, _google, _azure];

    /// <summary>The source for hosts that must use this cloud only.</summary>
    public IRegistryCredentialSource Of(RegistryAuth auth) =>
        auth switch
        {
            RegistryAuth.Ecr => _ecr,
            RegistryAuth.Google => _google,
            RegistryAuth.Azure => _azure,
            _ => throw new ArgumentOutOfRangeException(nameof(auth)),
        };

    private static Dictionary<RegistryName, EcrAccount> EcrAccountsOf(IEnumerable<RegistryEntryOptions> registries) =>
        registries
            .Where(entry => entry.Auth == RegistryAuth.Ecr || entry.AwsProfile is not null)
            .ToDictionary(
                entry => entry.Host,
                entry => new EcrAccount(entry.AwsProfile, entry.Region, IsRequired: entry.Auth == RegistryAuth.Ecr)
            );

    /// <summary>The hosts configured as Google's, with their own key file or null.</summary>
    private static Dictionary<RegistryName, string?> GoogleHostsOf(IEnumerable<RegistryEntryOptions> registries) =>
        registries
            .Where(entry => entry.Auth == RegistryAuth.Google || entry.GoogleKeyFile is not null)
            .ToDictionary(entry => entry.Host, entry => entry.GoogleKeyFile);

    private static Dictionary<RegistryName, AzureAccount> AzureAccountsOf(IEnumerable<RegistryEntryOptions> registries) =>
        registries
            .Where(entry => entry.Auth == RegistryAuth.Azure || entry.AzureClientId is not null)
            .ToDictionary(
                entry => entry.Host,
                entry => new AzureAccount(entry.AzureClientId, entry.AzureTenantId, IsRequired: entry.Auth == RegistryAuth.Azure)
            );
}

/// <summary>
/// Creates a cloud's source when one of its hosts is first used: most clusters use one cloud, and the libraries of three are large.
/// </summary>
/// <param name="isOfCloud">Whether a host belongs to the cloud.</param>
/// <param name="make">Creates the source.</param>
internal sealed class CloudCredentialSource(Predicate<RegistryName> isOfCloud, Func<IRegistryCredentialSource> make)
    : IRegistryCredentialSource
{
    private readonly Lazy<IRegistryCredentialSource> _source = new(make);

    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
        isOfCloud(image.Registry) ? _source.Value.GetAsync(image, cancellationToken) : new((RegistryCredential?)null);

    public ValueTask<RegistryCredential?> RenewAsync(
        ImageReference image,
        RegistryCredential rejected,
        CancellationToken cancellationToken
    ) => isOfCloud(image.Registry) ? _source.Value.RenewAsync(image, rejected, cancellationToken) : new((RegistryCredential?)null);
}
