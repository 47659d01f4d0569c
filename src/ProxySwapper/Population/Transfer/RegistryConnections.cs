using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Transfer;

/// <summary>
/// Population's connections to registries, in two sets: lookups have their own connections and limits, so that none waits behind a running
/// copy.
/// </summary>
internal sealed class RegistryConnections : IDisposable
{
    /// <param name="options">The configuration at startup, for registries and their credentials.</param>
    /// <param name="rules">The current configuration: repositories are created by it.</param>
    /// <param name="environment">Names credentials.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">The log.</param>
    public RegistryConnections(
        ProxySwapperOptions options,
        ConfigurationMonitor rules,
        EnvironmentVariables environment,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        var entries = ImpliedRegistryEntries.Entries(options, environment);
        ForCopies = RegistryServices.Create(
            entries,
            environment,
            time,
            loggers,
            tuned => tuned with { MaxRetries = 2, MaxRetryDelay = TimeSpan.FromSeconds(5) },
            current: () => rules.Current.Options.Registries
        );
        ForLookups = RegistryServices.Create(entries, environment, time, loggers, TuneForLookups, ForCopies.Credentials);
    }

    /// <summary>
    /// For copies and warm-ups. The queue does the waiting: a worker must not be blocked by waiting for a registry.
    /// </summary>
    public RegistryServices ForCopies { get; }

    /// <summary>For lookups that a request waits for: a late response is useless.</summary>
    public RegistryServices ForLookups { get; }

    /// <summary>The remaining pulls that registries last reported, by name.</summary>
    public IReadOnlyList<(RegistryName Registry, RateLimitStatus Status)> RateLimits =>
        [
            .. ForCopies
                .Clients.RateLimits.Concat(ForLookups.Clients.RateLimits)
                .GroupBy(pair => pair.Key)
                .Select(same => (same.Key, same.Select(pair => pair.Value).MaxBy(status => status.At)!))
                .OrderBy(pair => pair.Key.Text, StringComparer.Ordinal),
        ];

    /// <summary>Options for interactive requests: one quick retry, so that the registry's own error arrives in time.</summary>
    public static RegistryOptions TuneForLookups(RegistryOptions options) =>
        options with
        {
            MaxRetries = 1,
            RetryDelay = TimeSpan.FromMilliseconds(100),
            MaxRetryDelay = TimeSpan.FromSeconds(1),
            ResponseTimeout = TimeSpan.FromSeconds(10),
        };

    public void Dispose()
    {
        ForCopies.Dispose();
        ForLookups.Dispose();
    }
}
