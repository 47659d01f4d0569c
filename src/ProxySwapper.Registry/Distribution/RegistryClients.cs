using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// All registries, one instance per process: it holds the connections, limits and tokens of each host, and creates clients, which are
/// cheap.
/// </summary>
public sealed class RegistryClients(RegistryOptions options, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    /// <summary>
    /// The hosts that are known at once, a few KiB each; anyone can write image names with any number of hosts.
    /// </summary>
    private const int MaxHosts = 1000;

    private readonly ConnectionPool _connections = new();
    private readonly ConcurrentDictionary<RegistryName, HostAuthentication> _hosts = new();
    private readonly Lock _adding = new();

    /// <summary>Gets a client for one host with these credentials.</summary>
    /// <param name="registry">The registry, such as <c>docker.io</c> or <c>localhost:5000</c>.</param>
    /// <param name="credentials">
    /// Used when the registry sends a challenge. A token is only used for the credential it was fetched with.
    /// </param>
    public RegistryClient For(RegistryName registry, IRegistryCredentialSource credentials) =>
        new(AuthenticationOf(registry), credentials, options, time, loggers.CreateLogger<RegistryClient>());

    /// <summary>
    /// The remaining pulls that hosts last reported, by registry; those that never did are not in it.
    /// </summary>
    public IReadOnlyDictionary<RegistryName, RateLimitStatus> RateLimits =>
        _hosts
            .Values.Select(each => each.Host)
            .Where(host => host.RateLimit.Status is not null)
            .ToDictionary(host => host.Name, host => host.RateLimit.Status!);

    /// <summary>
    /// Creates the counters of the meter <c>ProxySwapper.Registry</c>, which would otherwise exist from the first request on.
    /// </summary>
    public static void PublishMetrics() => RegistryMetrics.Publish();

    /// <summary>
    /// Gives hosts a value of their own in the label <c>host</c> of that meter: of all others, only the first few have one.
    /// </summary>
    /// <param name="hosts">Those that are configured.</param>
    public static void NameInMetrics(IEnumerable<RegistryName> hosts) => RegistryMetrics.Name(hosts);

    /// <inheritdoc />
    public void Dispose() => _connections.Dispose();

    internal RegistryHost HostOf(RegistryName registry) => AuthenticationOf(registry).Host;

    private HostAuthentication AuthenticationOf(RegistryName registry)
    {
        var known = _hosts.TryGetValue(registry, out var one) ? one : Add(registry);
        known.Host.UsedAt = time.GetTimestamp();
        return known;
    }

    private HostAuthentication Add(RegistryName registry)
    {
        lock (_adding)
        {
            if (_hosts.TryGetValue(registry, out var known))
                return known;
            if (_hosts.Count >= MaxHosts)
                ForgetHalf();
            return _hosts[registry] = new HostAuthentication(new RegistryHost(registry, options, _connections, time, loggers), time);
        }
    }

    /// <summary>
    /// Forgets the hosts that were least recently used: only their challenges, tokens and limits, which the next use finds again.
    /// </summary>
    private void ForgetHalf()
    {
        foreach (var host in _hosts.Where(host => host.Value.Host.IsIdle).OrderBy(host => host.Value.Host.UsedAt).Take(MaxHosts / 2))
            _hosts.TryRemove(host);
    }
}
