using ProxySwapper.Configuration;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Protocol;

namespace ProxySwapper.Registries;

/// <summary>The clouds' sources of credentials, with what <c>registries</c> says of their hosts.</summary>
internal sealed class CloudCredentials(IReadOnlyList<RegistryEntryOptions> registries, RegistryClients clients, Func<string, string?> environment, TimeProvider time, ILoggerFactory loggers)
{
    private readonly EcrCredentialSource _ecr = new(EcrAccountsOf(registries), time, loggers.CreateLogger<EcrCredentialSource>());
    private readonly GoogleCredentialSource _google = new(GoogleHostsOf(registries), time, loggers.CreateLogger<GoogleCredentialSource>());
    private readonly AzureCredentialSource _azure = new(AzureAccountsOf(registries), clients, environment, time, loggers.CreateLogger<AzureCredentialSource>());

    /// <summary>All of them; each knows its own hosts.</summary>
    public IReadOnlyList<IRegistryCredentialSource> All => [_ecr, _google, _azure];

    /// <summary>The source of hosts that are to be opened by this cloud alone.</summary>
    public IRegistryCredentialSource Of(RegistryAuth auth) => auth switch
    {
        RegistryAuth.Ecr => _ecr,
        RegistryAuth.Google => _google,
        RegistryAuth.Azure => _azure,
        _ => throw new ArgumentOutOfRangeException(nameof(auth)),
    };

    private static Dictionary<string, EcrAccount> EcrAccountsOf(IEnumerable<RegistryEntryOptions> registries) => registries
        .Where(entry => entry.Auth == RegistryAuth.Ecr || entry.AwsProfile is not null)
        .ToDictionary(entry => entry.Host, entry => new EcrAccount(entry.AwsProfile, entry.Region, IsRequired: entry.Auth == RegistryAuth.Ecr), StringComparer.OrdinalIgnoreCase);

    /// <summary>The hosts that the configuration says are Google's, with a key file of their own or null.</summary>
    private static Dictionary<string, string?> GoogleHostsOf(IEnumerable<RegistryEntryOptions> registries) => registries
        .Where(entry => entry.Auth == RegistryAuth.Google || entry.GoogleKeyFile is not null)
        .ToDictionary(entry => entry.Host, entry => entry.GoogleKeyFile, StringComparer.OrdinalIgnoreCase);

    private static Dictionary<string, AzureAccount> AzureAccountsOf(IEnumerable<RegistryEntryOptions> registries) => registries
        .Where(entry => entry.Auth == RegistryAuth.Azure || entry.AzureClientId is not null)
        .ToDictionary(entry => entry.Host, entry => new AzureAccount(entry.AzureClientId, entry.AzureTenantId, IsRequired: entry.Auth == RegistryAuth.Azure), StringComparer.OrdinalIgnoreCase);
}
