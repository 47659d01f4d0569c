using System.Collections.Concurrent;
using Amazon.Runtime;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// Opens Amazon's registries with the password that <c>GetAuthorizationToken</c> gives
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html">private registry authentication</see>), asked for
/// as whoever the SDK finds this process to be, or as a profile of a host's own: two accounts work side by side.
/// </summary>
/// <remarks>
/// The public registry is asked as anonymous where there is no AWS identity, or one that may not ask for its token, which is said once.
/// </remarks>
public sealed partial class EcrCredentialSource : IRegistryCredentialSource
{
    /// <summary>How long a machine without an identity is not asked again whether it has one.</summary>
    private static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyDictionary<string, EcrAccount> _accounts;
    private readonly Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> _findClient;
    private readonly TimeProvider _time;
    private readonly ILogger<EcrCredentialSource> _logger;
    private readonly ConcurrentDictionary<string, CachedCredential> _leases = new(StringComparer.OrdinalIgnoreCase);
    private int _saidAbsent;
    private int _saidDenied;

    /// <summary>A source for Amazon's own hosts, and for those that are said to be Amazon's.</summary>
    /// <param name="accounts">What is known of a host besides its name.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public EcrCredentialSource(IReadOnlyDictionary<string, EcrAccount> accounts, TimeProvider time, ILogger<EcrCredentialSource> logger)
        : this(accounts, (host, profile, cancellationToken) => EcrClient.FindAsync(host, profile, time, cancellationToken), time, logger)
    { }

    internal EcrCredentialSource(
        IReadOnlyDictionary<string, EcrAccount> accounts,
        Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> findClient,
        TimeProvider time,
        ILogger<EcrCredentialSource> logger
    ) => (_accounts, _findClient, _time, _logger) = (accounts, findClient, time, logger);

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return LeaseOf(image.Registry)?.GetAsync(cancellationToken) ?? new((RegistryCredential?)null);
    }

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential refused, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return LeaseOf(image.Registry)?.RenewAsync(refused, cancellationToken) ?? new((RegistryCredential?)null);
    }

    private CachedCredential? LeaseOf(string registry)
    {
        if (_leases.TryGetValue(registry, out var known))
            return known;
        var account = _accounts.GetValueOrDefault(registry);
        var host = EcrHost.Parse(registry, account?.Region);
        if (host is not null)
            return _leases.GetOrAdd(
                registry,
                _ => new CachedCredential(_time, cancellationToken => FetchAsync(host, account, cancellationToken))
            );
        return account is null
            ? null
            : throw new RegistryCredentialException(
                $"ecr: {registry} does not tell its region; it belongs into `region` of its entry in `registries`"
            );
    }

    private async Task<RenewableCredential> FetchAsync(EcrHost host, EcrAccount? account, CancellationToken cancellationToken)
    {
        try
        {
            using var client = await _findClient(host, account?.Profile, cancellationToken);
            if (client is null)
            {
                // Private registries let nobody in without a password, and would only say so less clearly.
                if (account is { IsRequired: true } || !host.IsPublic)
                    throw new RegistryCredentialException($"ecr: there is no AWS identity here for {host.Host}");
                if (Interlocked.Exchange(ref _saidAbsent, 1) == 0)
                    Log.Absent(_logger, host.Host);
                return new RenewableCredential(null, _time.GetUtcNow() + AbsentFor);
            }
            var authorization = await client.GetAuthorizationTokenAsync(cancellationToken);
            return new RenewableCredential(
                RegistryCredential.Basic(authorization.Username, authorization.Password),
                authorization.ExpiresAt
            );
        }
        catch (EcrException fault) when (host.IsPublic && fault.IsAccessDenied && account is not { IsRequired: true })
        {
            if (Interlocked.Exchange(ref _saidDenied, 1) == 0)
                Log.Denied(_logger, host.Host, fault.Message);
            return new RenewableCredential(null, _time.GetUtcNow() + AbsentFor);
        }
        catch (Exception fault) when (fault is EcrException or AmazonClientException or AmazonServiceException)
        {
            throw new RegistryCredentialException($"ecr: no password for {host.Host}: {fault.Message}", fault);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "There is no AWS identity here: {Host} is asked as anonymous")]
        public static partial void Absent(ILogger logger, string host);

        [LoggerMessage(2, LogLevel.Warning, "{Host} is asked as anonymous: {Reason}")]
        public static partial void Denied(ILogger logger, string host, string reason);
    }
}
