using System.Collections.Concurrent;
using Amazon.Runtime;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Clouds.Aws;

/// <summary>
/// Authenticates to Amazon's registries with the password from <c>GetAuthorizationToken</c>
/// (<see href="https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html">private registry authentication</see>), requested
/// with the identity found by the SDK or with a host's own profile, so that two accounts work side by side.
/// </summary>
/// <remarks>
/// The public registry is accessed anonymously without an AWS identity, or with one that may not request a token, which is logged once.
/// </remarks>
public sealed partial class EcrCredentialSource : IRegistryCredentialSource
{
    /// <summary>How long to wait before looking for an identity again if none was found.</summary>
    private static readonly TimeSpan AbsentFor = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyDictionary<RegistryName, EcrAccount> _accounts;
    private readonly Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> _findClient;
    private readonly TimeProvider _time;
    private readonly ILogger<EcrCredentialSource> _logger;
    private readonly ConcurrentDictionary<RegistryName, CachedCredential> _credentials = new();
    private int _saidAbsent;
    private int _saidDenied;

    /// <summary>Creates a source for Amazon's own hosts and those configured as Amazon's.</summary>
    /// <param name="accounts">The settings of a host.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public EcrCredentialSource(
        IReadOnlyDictionary<RegistryName, EcrAccount> accounts,
        TimeProvider time,
        ILogger<EcrCredentialSource> logger
    )
        : this(accounts, (host, profile, cancellationToken) => EcrClient.FindAsync(host, profile, time, cancellationToken), time, logger)
    { }

    internal EcrCredentialSource(
        IReadOnlyDictionary<RegistryName, EcrAccount> accounts,
        Func<EcrHost, string?, CancellationToken, Task<EcrClient?>> findClient,
        TimeProvider time,
        ILogger<EcrCredentialSource> logger
    ) => (_accounts, _findClient, _time, _logger) = (accounts, findClient, time, logger);

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return CredentialOf(image.Registry)?.GetAsync(cancellationToken) ?? new((RegistryCredential?)null);
    }

    /// <inheritdoc />
    public ValueTask<RegistryCredential?> RenewAsync(ImageReference image, RegistryCredential rejected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return CredentialOf(image.Registry)?.RenewAsync(rejected, cancellationToken) ?? new((RegistryCredential?)null);
    }

    private CachedCredential? CredentialOf(RegistryName registry)
    {
        if (_credentials.TryGetValue(registry, out var known))
            return known;
        var account = _accounts.GetValueOrDefault(registry);
        var host = EcrHost.Parse(registry, account?.Region);
        if (host is not null)
            return _credentials.GetOrAdd(
                registry,
                _ => new CachedCredential(_time, cancellationToken => FetchAsync(host, account, cancellationToken))
            );
        return account is null
            ? null
            : throw new RegistryCredentialException(
                $"ecr: the host name {registry} does not contain a region; set `region` in its entry of `registries`"
            );
    }

    private async Task<RenewableCredential> FetchAsync(EcrHost host, EcrAccount? account, CancellationToken cancellationToken)
    {
        try
        {
            using var client = await _findClient(host, account?.Profile, cancellationToken);
            if (client is null)
            {
                // Private registries allow no anonymous access, and their error would be less clear.
                if (account is { IsRequired: true } || !host.IsPublic)
                    throw new RegistryCredentialException($"ecr: no AWS identity found for {host.Host}");
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
            throw new RegistryCredentialException($"ecr: cannot get a password for {host.Host}: {fault.Message}", fault);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "No AWS identity found: using {Host} anonymously")]
        public static partial void Absent(ILogger logger, RegistryName host);

        [LoggerMessage(2, LogLevel.Warning, "Using {Host} anonymously: {Reason}")]
        public static partial void Denied(ILogger logger, RegistryName host, string reason);
    }
}

/// <summary>Settings of one of Amazon's registries.</summary>
/// <param name="Profile">The profile of the AWS configuration files; null for the SDK's own chain.</param>
/// <param name="Region">Its region if the host name does not contain one; otherwise null.</param>
/// <param name="IsRequired">True if these credentials are required, with no anonymous access.</param>
public sealed record EcrAccount(string? Profile, string? Region, bool IsRequired);
