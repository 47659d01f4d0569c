using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Makes sure that only one of the replicas copies an image: it holds a Lease named by a hash of the target. The Lease of a crashed replica
/// expires after <see cref="Duration"/>. Without access to Leases, each replica copies for itself.
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

    /// <summary>How long a Lease must be unchanged before its stated time counts: the holder has missed two renewals.</summary>
    private static readonly TimeSpan ShortestWatch = 2 * RenewInterval;

    private const int MaximumAttempts = 4;

    // When each foreign Lease was last seen to change, by our own clock: others' clocks may be wrong.
    private readonly ConcurrentDictionary<string, (string Version, DateTimeOffset At)> _observed = new(StringComparer.Ordinal);

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
                    return result;
            // Others were faster each time.
            return new ClaimResult(null, time.GetUtcNow() + TimeSpan.FromSeconds(1));
        }
        catch (Exception problem) when (problem is KubernetesException or KubernetesConnectionException)
        {
            Log.Unclaimed(logger, work.Key, problem.Message);
            return new ClaimResult(CopyClaim.None, null);
        }
    }

    /// <summary>Records the sighting of a Lease, which expires after its duration unless it changes.</summary>
    public void Observe(Lease lease)
    {
        var seen = (lease.ResourceVersion, time.GetUtcNow());
        _observed.AddOrUpdate(lease.Name, seen, (_, last) => last.Version == lease.ResourceVersion ? last : seen);
    }

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
        var now = time.GetUtcNow();
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
            return Taken(leases, created);
        if (await leases.GetAsync(wanted.Namespace, wanted.Name, cancellationToken) is not { } held)
            return null;
        Observe(held);
        // A Lease with our own identity belongs to a previous process in the same Pod.
        if (held.HolderIdentity != kubernetes.PodName && EndOf(held) is var end && end > now)
            return new ClaimResult(null, end);
        var takeover = wanted with { Uid = held.Uid, ResourceVersion = held.ResourceVersion, Transitions = held.Transitions + 1 };
        if (await leases.TryUpdateAsync(takeover, cancellationToken) is not { } taken)
            return null;
        Log.TakenOver(logger, work.Key, held.HolderIdentity ?? "nobody");
        return Taken(leases, taken);
    }

    /// <summary>
    /// When a Lease expires: at the time it states, but since its holder's clock may be wrong, not before it has missed renewals and not
    /// later than its duration after it was last seen to change.
    /// </summary>
    private DateTimeOffset EndOf(Lease lease)
    {
        var duration = lease.Duration ?? Duration;
        var said = (lease.RenewTime ?? DateTimeOffset.MinValue) + duration;
        // The watch may have forgotten it meanwhile.
        var seen = _observed.TryGetValue(lease.Name, out var observed) ? observed.At : time.GetUtcNow();
        return said < seen + ShortestWatch ? seen + ShortestWatch
            : said > seen + duration ? seen + duration
            : said;
    }

    private ClaimResult Taken(LeaseClient leases, Lease lease) => new(new CopyClaim(leases, lease, time, logger), null);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Copying {Target} without a Lease, and possibly by other replicas too: {Error}")]
        public static partial void Unclaimed(ILogger logger, string target, string error);

        [LoggerMessage(2, LogLevel.Information, "{Target}: taking over the expired Lease of {Holder}")]
        public static partial void TakenOver(ILogger logger, string target, string holder);
    }
}

/// <summary>The result of a claim.</summary>
/// <param name="Claim">The claim, or null if another replica has it.</param>
/// <param name="HeldUntil">When that replica's Lease expires, unless renewed.</param>
internal readonly record struct ClaimResult(CopyClaim? Claim, DateTimeOffset? HeldUntil);
