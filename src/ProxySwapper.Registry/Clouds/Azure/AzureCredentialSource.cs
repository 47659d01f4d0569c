using System.Collections.Concurrent;
using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Registry.Clouds.Azure;

/// <summary>
/// Authenticates to Azure's registries: with a service principal's <c>AZURE_SP_ID</c> and <c>AZURE_SP_PASSWORD</c>, or with the refresh
/// token that a registry issues for an Entra token of Azure.Identity's chain (environment, Workload Identity, managed identity, Azure CLI)
/// (<see href="https://azure.github.io/acr/AAD-OAuth.html">integration with Azure Active Directory</see>). A host may have its own
/// identity, so that two accounts work side by side.
/// </summary>
/// <remarks>Without any of these, Azure's hosts are used anonymously, which is logged once: public images need no credential.</remarks>
public sealed partial class AzureCredentialSource : IRegistryCredentialSource
{
    /// <summary>The audience that registries accept in every cloud, even where tokens for the resource manager are rejected.</summary>
    private const string Scope = "https://containerregistry.azure.net/.default";

    private static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyDictionary<RegistryName, AzureAccount> _accounts;
    private readonly Func<AzureAccount?, TokenCredential> _identityOf;
    private readonly EnvironmentVariables _environment;
    private readonly TimeProvider _time;
    private readonly ILogger<AzureCredentialSource> _logger;
    private readonly AzureTokenExchange _exchange;
    private readonly ConcurrentDictionary<RegistryName, CachedCredential> _credentials = new();
    private int _saidAbsent;

    /// <summary>Creates a source for Azure's own hosts and those configured as Azure's.</summary>
    /// <param name="accounts">The settings of a host.</param>
    /// <param name="clients">The HTTP clients of hosts.</param>
    /// <param name="environment">Names the identity.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public AzureCredentialSource(
        IReadOnlyDictionary<RegistryName, AzureAccount> accounts,
        RegistryClients clients,
        EnvironmentVariables environment,
        TimeProvider time,
        ILogger<AzureCredentialSource> logger
    )
        : this(accounts, clients, account => AzureIdentity.Of(account, environment), environment, time, logger) { }

    internal AzureCredentialSource(
        IReadOnlyDictionary<RegistryName, AzureAccount> accounts,
        RegistryClients clients,
        Func<AzureAccount?, TokenCredential> identityOf,
        EnvironmentVariables environment,
        TimeProvider time,
        ILogger<AzureCredentialSource> logger
    ) =>
        (_accounts, _identityOf, _environment, _time, _logger, _exchange) = (
            accounts,
            identityOf,
            environment,
            time,
            logger,
            new AzureTokenExchange(clients, time)
        );

    /// <summary>True for registries of Azure's public, Chinese and US government clouds.</summary>
    public static bool IsAzure(RegistryName registry) =>
        registry.Text.EndsWith(".azurecr.io", StringComparison.Ordinal)
        || registry.Text.EndsWith(".azurecr.cn", StringComparison.Ordinal)
        || registry.Text.EndsWith(".azurecr.us", StringComparison.Ordinal);

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return SelectAsync(image.Registry, credential => credential.GetAsync(cancellationToken));
    }

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential rejected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return SelectAsync(image.Registry, credential => credential.RenewAsync(rejected, cancellationToken));
    }

    private ValueTask<RegistryCredential?> SelectAsync(RegistryName host, Func<CachedCredential, ValueTask<RegistryCredential?>> get)
    {
        var account = _accounts.GetValueOrDefault(host);
        if (account is null && !IsAzure(host))
            return new((RegistryCredential?)null);
        // The variables are the process's own identity, not that of a host with its own.
        if (
            account?.ClientId is null
            && _environment["AZURE_SP_ID"] is { Length: > 0 } id
            && _environment["AZURE_SP_PASSWORD"] is { Length: > 0 } password
        )
            return new(RegistryCredential.Basic(id, password));
        return get(
            _credentials.GetOrAdd(
                host,
                name =>
                {
                    var identity = new Lazy<TokenCredential>(() => _identityOf(account));
                    return new CachedCredential(_time, cancellationToken => FetchAsync(name, account, identity, cancellationToken));
                }
            )
        );
    }

    private async Task<RenewableCredential> FetchAsync(
        RegistryName host,
        AzureAccount? account,
        Lazy<TokenCredential> identity,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var token = await identity.Value.GetTokenAsync(new TokenRequestContext([Scope]), cancellationToken);
            return await _exchange.ExchangeAsync(
                host,
                token.Token,
                account?.TenantId ?? _environment["AZURE_TENANT_ID"],
                cancellationToken
            );
        }
        catch (CredentialUnavailableException) when (account is not { IsRequired: true })
        {
            if (Interlocked.Exchange(ref _saidAbsent, 1) == 0)
                Log.Absent(_logger);
            return new RenewableCredential(null, _time.GetUtcNow() + AbsentFor);
        }
        catch (CredentialUnavailableException fault)
        {
            throw new RegistryCredentialException($"azure: no Azure identity found for {host}", fault);
        }
        catch (AuthenticationFailedException fault)
        {
            // The outer messages name SDK classes; the innermost is Entra's.
            throw new RegistryCredentialException(
                $"azure: cannot get a token for {host}: {fault.GetBaseException().Message.ReplaceLineEndings(" ")}",
                fault
            );
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "No Azure identity found: using Azure's registries anonymously")]
        public static partial void Absent(ILogger logger);
    }
}

/// <summary>Settings of one of Azure's registries.</summary>
/// <param name="ClientId">The application or managed identity to use; null for the default chain of Azure.Identity.</param>
/// <param name="TenantId">The identity's tenant; null for the process's own.</param>
/// <param name="IsRequired">True if these credentials are required, with no anonymous access.</param>
public sealed record AzureAccount(string? ClientId, string? TenantId, bool IsRequired);
