using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Looks up whether an image is downstream, from the cache or by one HEAD, however many callers there are. What was seen exists but may be
/// outdated, so it is kept apart from what the queue remembers.
/// </summary>
internal sealed partial class DownstreamLookup(
    PopulationQueue queue,
    RegistryServices registries,
    ConfigurationMonitor rules,
    TimeProvider time,
    ILogger<DownstreamLookup> logger
)
{
    /// <summary>A lookup that takes longer is useless.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly ImagePresenceCache _seen = new(time);
    private readonly SingleFlight<string, ImagePresence> _lookups = new();

    /// <summary>Whether an image was seen within <c>recheckAfter</c>. Does no I/O.</summary>
    public bool IsKnown(ImageReference target)
    {
        var (key, age) = (target.ToString(), rules.Current.Options.Populate.RecheckAfter);
        return queue.Known.IsKnownWithin(key, age) || _seen.IsKnownWithin(key, age);
    }

    /// <summary>The digest that an image had when it was seen, or null.</summary>
    public string? DigestOf(string key) => queue.Known.DigestOf(key) ?? _seen.DigestOf(key);

    /// <summary>Whether an image was seen, however long ago. Does no I/O.</summary>
    public bool WasSeen(ImageReference target)
    {
        var key = target.ToString();
        return queue.Known.IsKnown(key) || _seen.IsKnown(key);
    }

    /// <summary>Whether an image is downstream, as far as can be determined before a deadline. Never throws.</summary>
    public async ValueTask<ImagePresence> FindAsync(ImageReference target, CancellationToken deadline) =>
        WasSeen(target) ? ImagePresence.Present : await LookUpAsync(target.ToString(), target, deadline);

    /// <summary>Like <see cref="FindAsync"/>, but rechecks what was seen longer ago than <c>recheckAfter</c>, digests included.</summary>
    public async ValueTask<ImagePresence> VerifyAsync(ImageReference target, CancellationToken cancellationToken)
    {
        var key = target.ToString();
        var age = rules.Current.Options.Populate.RecheckAfter;
        if (queue.Known.IsKnownWithin(key, age) || _seen.IsKnownWithin(key, age))
            return ImagePresence.Present;
        var presence = await LookUpAsync(key, target, cancellationToken);
        if (presence == ImagePresence.Missing)
            queue.Known.Forget(key);
        return presence;
    }

    /// <summary>
    /// Whether an image must be copied or warmed; false if its registry does not respond, which leaves it to the next pass.
    /// </summary>
    /// <param name="work">The work that it would be.</param>
    /// <param name="isRunning">Whether a running Pod has pulled the target.</param>
    /// <param name="cancellationToken">Ends the wait for the registry.</param>
    public async ValueTask<bool> IsMissingAsync(PopulationWork work, bool isRunning, CancellationToken cancellationToken) =>
        work is WarmUpWork
            // A manifest in a cache says nothing about its layers, but a running Pod has pulled them through it.
            ? !isRunning && !queue.Known.IsKnown(work.Key)
            : await VerifyAsync(work.Target, cancellationToken) == ImagePresence.Missing;

    /// <summary>Whether an image is downstream now, ignoring the cache.</summary>
    public Task<ImagePresence> LookUpUncachedAsync(ImageReference target, CancellationToken cancellationToken) =>
        LookUpAsync(target.ToString(), target, cancellationToken);

    private async Task<ImagePresence> LookUpAsync(string key, ImageReference target, CancellationToken deadline)
    {
        // The lookup continues after a caller's deadline, so that the next caller finds its result.
        try
        {
            return await _lookups.RunAsync(key, () => LookUpAsync(key, target), deadline);
        }
        catch (OperationCanceledException)
        {
            return ImagePresence.Unknown;
        }
    }

    private async Task<ImagePresence> LookUpAsync(string key, ImageReference target)
    {
        try
        {
            using var timeout = new OperationTimeout(Timeout, time, CancellationToken.None);
            var found = await registries
                .Clients.For(target.Registry, registries.Credentials)
                .LookUpManifestAsync(target.Repository, target.ManifestReference, timeout.Token);
            if (found is null)
            {
                _seen.Forget(key);
                return ImagePresence.Missing;
            }
            _seen.Remember(key, target.Digest is null ? rules.Current.Options.Populate.RecheckAfter : null, found.Digest.ToString());
            return ImagePresence.Present;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault) || fault is OperationCanceledException)
        {
            Log.Failed(logger, key, fault.Message);
            return ImagePresence.Unknown;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cannot check whether {Target} is downstream: {Fault}")]
        public static partial void Failed(ILogger logger, string target, string fault);
    }
}

/// <summary>Whether an image is downstream.</summary>
internal enum ImagePresence
{
    /// <summary>The registry did not respond in time.</summary>
    Unknown,
    Missing,
    Present,
}
