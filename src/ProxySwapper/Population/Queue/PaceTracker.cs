namespace ProxySwapper.Population.Queue;

/// <summary>
/// What is known of the pace of registries and of the images of namespaces: registries that have never answered, and those that were slow
/// of late. Their jobs may hold a worker for long, so that they are kept from holding all. Bounded, since names come from outside.
/// Belongs to the queue and its lock.
/// </summary>
internal sealed class PaceTracker
{
    /// <summary>What takes longer than this and the time for its bytes at <see cref="MinimumRate"/> is slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Bytes per second.</summary>
    public const long MinimumRate = 1 << 20;

    private const int Capacity = 10_000;

    /// <summary>For how long slowness is remembered.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly HashSet<RegistryKey> _answered = [];
    private readonly Dictionary<RegistryKey, DateTimeOffset> _slowRegistries = [];
    private readonly Dictionary<string, DateTimeOffset> _slowNamespaces = new(StringComparer.Ordinal);

    /// <summary>How long a job may run with what it has moved.</summary>
    public static TimeSpan PatienceWith(PopulationJob job) =>
        Patience + TimeSpan.FromSeconds(Math.Floor((double)job.BytesDone / MinimumRate));

    public static bool IsDragging(PopulationJob job, DateTimeOffset now) =>
        job.StartedAt is { } started && now - started >= PatienceWith(job);

    /// <summary>Whether a job may turn out to hold its worker for long, for what is known of where it comes from.</summary>
    public bool IsDoubtful(PopulationJob job, string tenant, DateTimeOffset now) =>
        IsRemembered(_slowNamespaces, tenant, now)
        || job.Sources.Any(source => !_answered.Contains(source) || IsRemembered(_slowRegistries, source, now));

    public void Answered(PopulationJob job)
    {
        foreach (var source in job.Sources)
        {
            if (_answered.Count >= Capacity)
                _answered.Clear();
            _answered.Add(source);
        }
    }

    /// <summary>A job was slow.</summary>
    public void Dragged(PopulationJob job, DateTimeOffset now)
    {
        foreach (var source in job.Sources)
            Remember(_slowRegistries, source, now);
        // Of several namespaces that wait for the image none is to blame.
        if (job.Namespaces is [var only])
            Remember(_slowNamespaces, only, now);
    }

    /// <summary>A job came to its end in good time.</summary>
    public void Recovered(PopulationJob job)
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
