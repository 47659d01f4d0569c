using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Makes sure that only one of the replicas copies an image: it holds a Lease named by a hash of the target. The Lease of a crashed replica
/// expires after <see cref="Duration"/>, by the API server's clock. Without the right to Leases, each replica copies for itself; without an
/// API server for longer than <see cref="UnreachableTimeout"/> too, since in a long outage an image would be copied nowhere.
/// </summary>
internal sealed partial class CopyClaims(KubernetesAccess kubernetes, TimeProvider time, ILogger<CopyClaims> logger)
{
    /// <summary>The label of these Leases.</summary>
    public const string Label = "proxyswapper.io/claim";

    /// <summary>The label's value.</summary>
    public const string LabelValue = "copy";

    /// <summary>The annotation that names the image.</summary>
    public const string TargetAnnotation = "proxyswapper.io/target";

    /// <summary>The annotation that names its source.</summary>
    public const string SourceAnnotation = "proxyswapper.io/source";

    /// <summary>How long a Lease is valid after its last renewal.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    /// <summary>How often its holder renews it.</summary>
    public static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to wait for an API server that does not respond. Other replicas may still reach it and copy; if so, they have mostly
    /// finished by then, and the image is found downstream.
    /// </summary>
    public static readonly TimeSpan UnreachableTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How long after its end a Lease counts as left behind.</summary>
    public static readonly TimeSpan AbandonedAfter = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private const int MaximumAttempts = 4;

    // When each foreign Lease was last seen to change, by our own clock: what it states may be wrong.
    private readonly ConcurrentDictionary<string, (string Version, long At)> _observed = new(StringComparer.Ordinal);

    private readonly Lock _gate = new();
    private long? _failingSince;

    /// <summary>Claims work, unless another replica has it.</summary>
    public async Task<ClaimResult> TryClaimAsync(PopulationWork work, CancellationToken cancellationToken)
    {
        if (kubernetes.Client is not { } client)
            return new ClaimResult(CopyClaim.None, null);
        var leases = new LeaseClient(client);
        try
        {
            for (var attempt = 0; attempt < MaximumAttempts; attempt++)
                if (await TryOnceAsync(client, leases, work, cancellationToken) is { } result)
                {
                    Responded();
                    return result;
                }
            // Others were faster each time.
            return new ClaimResult(null, time.GetUtcNow() + RetryInterval);
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            if (problem is not KubernetesException { IsRejection: true } && IsWaitedFor(problem.Message))
                return new ClaimResult(null, time.GetUtcNow() + RetryInterval);
            Log.Unclaimed(logger, work.Key, problem.Message);
            return new ClaimResult(CopyClaim.None, null);
        }
    }

    /// <summary>Records the sighting of a Lease, which expires after its duration unless it changes.</summary>
    public void Observe(Lease lease)
    {
        var seen = (lease.ResourceVersion, time.GetTimestamp());
        _observed.AddOrUpdate(lease.Name, seen, (_, last) => last.Version == lease.ResourceVersion ? last : seen);
    }

    /// <summary>Whether a Lease expired: its holder ended without deleting it, or cannot renew it, and copies no more.</summary>
    public bool HasExpired(Lease lease) => kubernetes.Client is { } client && RestOf(lease, client.ServerTime) <= TimeSpan.Zero;

    /// <summary>
    /// Whether a Lease has not changed for so long, by our own clock alone, that its holder is gone: any other one would have renewed it
    /// many times, even if the clocks differ.
    /// </summary>
    public bool IsAbandoned(Lease lease) =>
        _observed.TryGetValue(lease.Name, out var observed)
        && observed.Version == lease.ResourceVersion
        && time.GetElapsedTime(observed.At) >= (lease.Duration ?? Duration) + AbandonedAfter;

    /// <summary>Records that a Lease is gone.</summary>
    public void Forget(string name) => _observed.TryRemove(name, out _);

    /// <summary>The name of the Lease of an image.</summary>
    public static string NameOf(string target) =>
        "proxyswapper-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)))[..40];

    private async Task<ClaimResult?> TryOnceAsync(
        KubernetesClient client,
        LeaseClient leases,
        PopulationWork work,
        CancellationToken cancellationToken
    )
    {
        var (now, sent) = (client.ServerTime, time.GetTimestamp());
        var wanted = new Lease(client.Namespace, NameOf(work.Key))
        {
            HolderIdentity = kubernetes.PodName,
            Duration = Duration,
            AcquireTime = now,
            RenewTime = now,
            Labels = new Dictionary<string, string> { [Label] = LabelValue },
            Annotations = new Dictionary<string, string> { [TargetAnnotation] = work.Key, [SourceAnnotation] = work.Origin.ToString() },
        };
        if (await leases.TryCreateAsync(wanted, cancellationToken) is { } created)
            return Taken(client, created, sent);
        if (await leases.GetAsync(wanted.Namespace, wanted.Name, cancellationToken) is not { } held)
            return null;
        Observe(held);
        // A Lease with our own identity belongs to a previous process in the same Pod.
        if (held.HolderIdentity != kubernetes.PodName && RestOf(held, client.ServerTime) is var rest && rest > TimeSpan.Zero)
            return new ClaimResult(null, time.GetUtcNow() + rest);
        (now, sent) = (client.ServerTime, time.GetTimestamp());
        var takeover = wanted with
        {
            Uid = held.Uid,
            ResourceVersion = held.ResourceVersion,
            Transitions = held.Transitions + 1,
            AcquireTime = now,
            RenewTime = now,
        };
        if (await leases.TryUpdateAsync(takeover, cancellationToken) is not { } taken)
            return null;
        Log.TakenOver(logger, work.Key, held.HolderIdentity ?? "nobody");
        return Taken(client, taken, sent);
    }

    /// <summary>
    /// How long a Lease is still valid: by the time that it states, which its holder takes from the API server's clock as we do, but not
    /// longer than its duration since it was last seen to change, whatever it states.
    /// </summary>
    private TimeSpan RestOf(Lease lease, DateTimeOffset now)
    {
        var age = now - (lease.RenewTime ?? DateTimeOffset.MinValue);
        // The watch may have forgotten it meanwhile.
        var seen = _observed.TryGetValue(lease.Name, out var observed) ? time.GetElapsedTime(observed.At) : TimeSpan.Zero;
        return (lease.Duration ?? Duration) - (age > seen ? age : seen);
    }

    private ClaimResult Taken(KubernetesClient client, Lease lease, long sent) =>
        new(new CopyClaim(client, lease, sent, time, logger), null);

    private void Responded()
    {
        lock (_gate)
            _failingSince = null;
    }

    /// <summary>Records that the API server does not respond; false if it has not done so for too long.</summary>
    private bool IsWaitedFor(string error)
    {
        lock (_gate)
        {
            if (_failingSince is { } since)
                return time.GetElapsedTime(since) < UnreachableTimeout;
            _failingSince = time.GetTimestamp();
        }
        Log.Waiting(logger, UnreachableTimeout.TotalMinutes, error);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Copying {Target} without a Lease, and possibly by other replicas too: {Error}")]
        public static partial void Unclaimed(ILogger logger, string target, string error);

        [LoggerMessage(
            3,
            LogLevel.Warning,
            "Cannot claim images, nothing is copied for {Minutes} min unless the API server responds: {Error}"
        )]
        public static partial void Waiting(ILogger logger, double minutes, string error);

        [LoggerMessage(2, LogLevel.Information, "{Target}: taking over the expired Lease of {Holder}")]
        public static partial void TakenOver(ILogger logger, string target, string holder);
    }
}

/// <summary>The result of a claim.</summary>
/// <param name="Claim">The claim, or null if another replica has it or the API server does not respond.</param>
/// <param name="NextTry">When that replica's Lease expires, unless renewed, or the API server is queried again.</param>
internal readonly record struct ClaimResult(CopyClaim? Claim, DateTimeOffset? NextTry);
