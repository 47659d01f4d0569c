namespace ProxySwapper.Population.Queue;

/// <summary>
/// Tracks the pace of registries and of namespaces' images: registries that have never responded, and those that were slow
/// recently. Their jobs may occupy a worker for long, so they must not occupy all. Bounded, since names are external.
/// Used under the queue's lock.
/// </summary>
internal sealed class PaceTracker
{
    /// <summary>What takes longer than this and the time for its bytes at <see cref="MinimumRate"/> is slow.</summary>
    public static readonly TimeSpan BaseTime = TimeSpan.FromSeconds(10);

    /// <summary>Bytes per second.</summary>
    public const long MinimumRate = 1 << 20;

    /// <summary>
    /// How long others wait, and how much less worker time they had, before a namespace loses workers beyond its share.
    /// </summary>
    public static readonly TimeSpan PreemptionDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>What ends within this time is not stopped.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    private const int Capacity = 10_000;

    /// <summary>How long slowness is remembered.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly HashSet<RegistryKey> _responsive = [];
    private readonly Dictionary<RegistryKey, DateTimeOffset> _slowRegistries = [];
    private readonly Dictionary<string, DateTimeOffset> _slowNamespaces = new(StringComparer.Ordinal);

    /// <summary>How long a job may run for the bytes it has copied.</summary>
    public static TimeSpan AllowedTime(PopulationJob job) =>
        BaseTime + TimeSpan.FromSeconds(Math.Floor((double)job.BytesDone / MinimumRate));

    public static bool IsOverdue(PopulationJob job, DateTimeOffset now) =>
        job.StartedAt is { } started && now - started >= AllowedTime(job);

    /// <summary>Whether the rest of a running job takes less than <see cref="Soon"/> at its pace so far.</summary>
    public static bool EndsSoon(PopulationJob job, DateTimeOffset now) =>
        job is { StartedAt: { } started, BytesDone: > 0 }
        && (now - started) * ((double)(job.BytesTotal - job.BytesDone) / job.BytesDone) < Soon;

    /// <summary>Whether a job may occupy its worker for long, judging by its source.</summary>
    public bool MayBeSlow(PopulationJob job, string tenant, DateTimeOffset now)
    {
        if (IsRemembered(_slowNamespaces, tenant, now))
            return true;
        for (var index = 0; index < job.Sources.Count; index++)
            if (!_responsive.Contains(job.Sources[index]) || IsRemembered(_slowRegistries, job.Sources[index], now))
                return true;
        return false;
    }

    public void RecordResponse(PopulationJob job)
    {
        foreach (var source in job.Sources)
        {
            if (_responsive.Count >= Capacity)
                _responsive.Clear();
            _responsive.Add(source);
        }
    }

    /// <summary>Records a slow job.</summary>
    public void RecordSlow(PopulationJob job, DateTimeOffset now)
    {
        foreach (var source in job.Sources)
            Remember(_slowRegistries, source, now);
        // If several namespaces wait for the image, none is to blame.
        if (job.Namespaces is [var only])
            Remember(_slowNamespaces, only, now);
    }

    /// <summary>Records a job that finished in time.</summary>
    public void RecordOnTime(PopulationJob job)
    {
        foreach (var source in job.Sources)
            _slowRegistries.Remove(source);
    }

    private static void Remember<T>(Dictionary<T, DateTimeOffset> slow, T name, DateTimeOffset now)
        where T : notnull
    {
        if (slow.Count >= Capacity)
            slow.Clear();
        slow[name] = now;
    }

    private static bool IsRemembered<T>(Dictionary<T, DateTimeOffset> slow, T name, DateTimeOffset now)
        where T : notnull => slow.TryGetValue(name, out var since) && now - since < Memory;
}
