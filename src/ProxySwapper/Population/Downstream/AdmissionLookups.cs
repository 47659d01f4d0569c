using System.Collections.Concurrent;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Lookups that reviews wait for, a few of each namespace at a registry at a time (<see cref="LookupLimiter"/>), since one review may name
/// hundreds of images.
/// </summary>
internal sealed class AdmissionLookups(DownstreamLookup lookup, LookupLimiter limiter)
{
    private readonly SingleFlight<(string Namespace, string Target), ImagePresence> _lookups = new();
    private readonly ConcurrentDictionary<(string Namespace, string Target), bool> _started = new();

    /// <summary>Whether an image is downstream, as far as can be determined before a deadline. Never throws.</summary>
    /// <returns>Null if other lookups took all the time, so that the registry was not queried for this image.</returns>
    public async Task<ImagePresence?> FindAsync(string @namespace, ImageReference target, CancellationToken deadline)
    {
        var key = (@namespace, target.ToString());
        while (!deadline.IsCancellationRequested)
            try
            {
                return await _lookups.RunAsync(key, () => LookUpAsync(key, target, deadline), deadline);
            }
            catch (OperationCanceledException)
            {
                // The time is up, or that of another review, which waited for its turn.
            }
        return _started.ContainsKey(key) ? ImagePresence.Unknown : null;
    }

    private async Task<ImagePresence> LookUpAsync((string Namespace, string Target) key, ImageReference target, CancellationToken deadline)
    {
        using var place = await limiter.EnterForReviewAsync(key.Namespace, target.Registry, deadline);
        _started[key] = true;
        try
        {
            // Keeps its place until the registry has responded, so that no number of reviews starts more.
            return await lookup.FindAsync(target, CancellationToken.None);
        }
        finally
        {
            _started.TryRemove(key, out _);
        }
    }
}
