using System.Collections.Concurrent;
using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Logging;

namespace ProxySwapper.Registry.Credentials;

/// <summary>
/// Opens Azure's registries: with a service principal's <c>AZURE_SP_ID</c> and <c>AZURE_SP_PASSWORD</c>, or with the refresh token that a
/// registry gives for an Entra token of Azure.Identity's chain (environment, Workload Identity, managed identity, Azure CLI)
/// (<see href="https://azure.github.io/acr/AAD-OAuth.html">integration with Azure Active Directory</see>).
/// </summary>
/// <remarks>Without any of them, Azure's hosts are asked as anonymous, which is said once: public images need none.</remarks>
public sealed partial class AzureCredentialSource : IRegistryCredentialSource, IDisposable
{
    /// <summary>The user under which a registry takes a refresh token as a password, from programs that know users and passwords alone.</summary>
    public const string RefreshTokenUser = "00000000-0000-0000-0000-000000000000";

    /// <summary>The audience that registries take in every cloud, also where tokens for the resource manager are refused.</summary>
    private const string Scope = "https://containerregistry.azure.net/.default";

    private static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(5);

    private readonly IReadOnlySet<string> _hosts;
    private readonly Func<string, string?> _variable;
    private readonly TimeProvider _time;
    private readonly ILogger<AzureCredentialSource> _logger;
    private readonly AzureTokenExchange _exchange;
    private readonly Lazy<TokenCredential> _identity;
    private readonly ConcurrentDictionary<string, CredentialLease> _leases = new(StringComparer.OrdinalIgnoreCase);
    private int _saidAbsent;

    /// <summary>A source for Azure's own hosts, and for those that are said to be Azure's.</summary>
    /// <param name="hosts">Hosts that must be opened so, and never as anonymous.</param>
    /// <param name="registries">How hosts are reached.</param>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public AzureCredentialSource(IReadOnlySet<string> hosts, RegistryOptions registries, Func<string, string?> variable, TimeProvider time, ILogger<AzureCredentialSource> logger)
    {
        (_hosts, _variable, _time, _logger) = (hosts, variable, time, logger);
        _exchange = new AzureTokenExchange(registries, time);
        _identity = new Lazy<TokenCredential>(CreateIdentity);
    }

    /// <summary>True for registries of Azure's public, Chinese and US government clouds.</summary>
    public static bool IsAzure(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.EndsWith(".azurecr.io", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".azurecr.cn", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".azurecr.us", StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!IsMine(image.Registry)) return new((RegistryCredential?)null);
        return ServicePrincipal() is { } principal ? new(principal) : LeaseOf(image.Registry).GetAsync(cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential refused, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!IsMine(image.Registry)) return new((RegistryCredential?)null);
        return ServicePrincipal() is { } principal ? new(principal) : LeaseOf(image.Registry).RenewAsync(refused, cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => _exchange.Dispose();

    private bool IsMine(string host) => _hosts.Contains(host) || IsAzure(host);

    private RegistryCredential? ServicePrincipal() =>
        _variable("AZURE_SP_ID") is { Length: > 0 } id && _variable("AZURE_SP_PASSWORD") is { Length: > 0 } password ? RegistryCredential.Basic(id, password) : null;

    private CredentialLease LeaseOf(string host) => _leases.GetOrAdd(host, name => new CredentialLease(_time, cancellationToken => FetchAsync(name, cancellationToken)));

    private async Task<LeasedCredential> FetchAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            var token = await _identity.Value.GetTokenAsync(new TokenRequestContext([Scope]), cancellationToken);
            return await _exchange.ExchangeAsync(host, token.Token, _variable("AZURE_TENANT_ID"), cancellationToken);
        }
        catch (CredentialUnavailableException) when (!_hosts.Contains(host))
        {
            if (Interlocked.Exchange(ref _saidAbsent, 1) == 0) Log.Absent(_logger);
            return new LeasedCredential(null, _time.GetUtcNow() + AbsentFor);
        }
        catch (CredentialUnavailableException fault)
        {
            throw new RegistryCredentialException($"azure: there is no Azure identity here for {host}", fault);
        }
        catch (AuthenticationFailedException fault)
        {
            throw new RegistryCredentialException($"azure: no token for {host}: {fault.Message}", fault);
        }
    }

    private DefaultAzureCredential CreateIdentity() => new(new DefaultAzureCredentialOptions
    {
        // The programs of developers that are asked by starting them, but for the one that people log in to registries with.
        ExcludeVisualStudioCredential = true,
        ExcludeVisualStudioCodeCredential = true,
        ExcludeAzurePowerShellCredential = true,
        ExcludeAzureDeveloperCliCredential = true,
        ExcludeBrokerCredential = true,
        // An authority of one's own is not among those that Microsoft's public cloud knows.
        DisableInstanceDiscovery = IsPrivateAuthority(_variable("AZURE_AUTHORITY_HOST")),
        Retry = { MaxRetries = 2, NetworkTimeout = TimeSpan.FromSeconds(15) },
    });

    private static bool IsPrivateAuthority(string? authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var uri) && uri.Host is not ("login.microsoftonline.com" or "login.chinacloudapi.cn" or "login.partner.microsoftonline.cn" or "login.microsoftonline.us");

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "There is no Azure identity here: Azure's registries are asked as anonymous")]
        public static partial void Absent(ILogger logger);
    }
}
