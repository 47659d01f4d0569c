using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>Work in the queue or in flight. Its state belongs to <see cref="PopulationQueue"/> and only changes under its lock.</summary>
internal sealed class PopulationJob(PopulationWork work, PodOrigin origin, long sequence, DateTimeOffset now)
{
    /// <summary>Limit of Pods whose secrets are tried: enough for namespaces that start the same image at once.</summary>
    private const int MaximumOrigins = 8;

    private volatile IReadOnlyList<PodOrigin> _origins = [origin];
    private readonly TaskCompletionSource<bool> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PopulationWork Work { get; } = work;

    /// <summary>The order of arrival, the tie-breaker between jobs that become ready at the same time.</summary>
    public long Sequence { get; } = sequence;

    public DateTimeOffset QueuedAt { get; } = now;

    /// <summary>The namespace whose share of the queue the job takes.</summary>
    public string Owner { get; } = origin.Namespace;

    /// <summary>The namespaces that need the image.</summary>
    public IReadOnlyList<string> Namespaces { get; private set; } = [origin.Namespace];

    /// <summary>The namespace whose turn the current attempt takes.</summary>
    public string Tenant { get; set; } = origin.Namespace;

    /// <summary>The Pods that need the image, in order of arrival.</summary>
    public IReadOnlyList<PodOrigin> Origins => _origins;

    /// <summary>Those at the start of the current attempt.</summary>
    public IReadOnlyList<PodOrigin> OriginsAtStart { get; set; } = [];

    /// <summary>What the job writes to.</summary>
    public RegistryKey Target { get; } = new(work.Target.Registry, null);

    /// <summary>The keys of the job's source: one per namespace with its own secrets. Empty when it is the target.</summary>
    public IReadOnlyList<RegistryKey> Sources { get; private set; } = RegistryKey.SourcesOf(work, [origin]);

    /// <summary>All registries that the job uses.</summary>
    public IEnumerable<RegistryKey> Registries => Sources.Append(Target);

    /// <summary>Those that the current attempt uses: Pods that join or leave meanwhile do not change its credentials.</summary>
    public IReadOnlyList<RegistryKey> RegistriesAtStart { get; set; } = [];

    /// <summary>The earliest time of the next attempt.</summary>
    public DateTimeOffset ReadyAt { get; set; } = now;

    /// <summary>When the current attempt began, or null while the job waits.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>Failed attempts.</summary>
    public int Failures { get; set; }

    /// <summary>Why the last attempt failed, or null.</summary>
    public string? LastFault { get; set; }

    /// <summary>True once an attempt has shown that the image is large.</summary>
    public bool IsLarge { get; set; }

    /// <summary>Whether this attempt has one of the places for large images.</summary>
    public bool HasLargeReservation { get; set; }

    /// <summary>True once the current attempt takes longer than expected (<see cref="PaceTracker"/>).</summary>
    public bool IsOverdue { get; set; }

    /// <summary>True once an attempt was stopped so that others could run.</summary>
    public bool WasPreempted { get; set; }

    /// <summary>Admission requests waiting for the result.</summary>
    public int Waiters { get; set; }

    /// <summary>Whether the current attempt counts against the limits of the slow lane.</summary>
    public bool IsInSlowLane { get; set; }

    /// <summary>Bytes that the current attempt has to copy, as far as known.</summary>
    public long BytesTotal { get; set; }

    /// <summary>Bytes that the current attempt has copied.</summary>
    public long BytesDone { get; set; }

    /// <summary>True while another replica is copying the image.</summary>
    public bool IsDeferred { get; set; }

    /// <summary>Stops the current attempt, or null while there is none.</summary>
    public CancellationTokenSource? Stop { get; set; }

    /// <summary>True if the job was removed from a full queue for one of a namespace with fewer jobs.</summary>
    public bool IsDisplaced { get; set; }

    /// <summary>Completes with true when the image is downstream, with false on failure.</summary>
    public Task<bool> Completion => _completion.Task;

    /// <summary>Adds a Pod that needs the image, if it may have other credentials for it.</summary>
    /// <returns>True if it is the first of its namespace.</returns>
    public bool AddOrigin(PodOrigin another)
    {
        if (!_origins.All(another.HasOtherAccessThan))
            return false;
        var isFirst = !Namespaces.Contains(another.Namespace);
        if (_origins.Count < MaximumOrigins)
            _origins = [.. _origins, another];
        else if (_origins.CountBy(origin => origin.Namespace).MaxBy(share => share.Value) is { Value: > 1 } most)
        {
            // No namespace crowds out the others.
            if (_origins.Count(origin => origin.Namespace == another.Namespace) + 1 >= most.Value)
                return false;
            var last = _origins.Last(origin => origin.Namespace == most.Key);
            _origins = [.. _origins.Where(origin => origin != last), another];
        }
        else
            return false;
        Namespaces = [.. _origins.Select(origin => origin.Namespace).Distinct(StringComparer.Ordinal)];
        Sources = RegistryKey.SourcesOf(Work, _origins);
        return isFirst;
    }

    public void Complete(bool isDownstream) => _completion.TrySetResult(isDownstream);
}
