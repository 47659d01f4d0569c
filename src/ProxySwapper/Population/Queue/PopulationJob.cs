using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>Work in the queue or in flight. Its state belongs to <see cref="PopulationQueue"/> and only changes under its lock.</summary>
internal sealed class PopulationJob(PopulationWork work, PodOrigin origin, long sequence, DateTimeOffset now)
{
    private readonly JobOrigins _origins = new(origin);
    private readonly TaskCompletionSource<bool> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PopulationWork Work { get; } = work;

    /// <summary>The order of arrival, the tie-breaker between jobs that become ready at the same time.</summary>
    public long Sequence { get; } = sequence;

    public DateTimeOffset QueuedAt { get; } = now;

    /// <summary>The namespace whose share of the queue the job takes.</summary>
    public string Owner { get; private set; } = origin.Namespace;

    /// <summary>The namespaces that need the image and whose Pods' secrets the next attempt tries.</summary>
    public IReadOnlyList<string> Namespaces { get; private set; } = [origin.Namespace];

    /// <summary>The namespace whose turn the current attempt takes.</summary>
    public string Tenant { get; set; } = origin.Namespace;

    /// <summary>The Pods that need the image and whose secrets the next attempt tries.</summary>
    public IReadOnlyList<PodOrigin> Origins => _origins.Current;

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

    /// <summary>Those of them in which only the secrets of namespaces that are not tried any more were rejected.</summary>
    public int FailuresOfOthers { get; private set; }

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

    /// <summary>Whether the current attempt counts against the limits of slow jobs.</summary>
    public bool CountsAsSlow { get; set; }

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
        var isFirst = !Namespaces.Contains(another.Namespace);
        if (!_origins.Add(another))
            return false;
        ReadOrigins();
        return isFirst;
    }

    /// <summary>
    /// Whether the secrets of a namespace count for the result; false if too many namespaces needed the image before it. Does not change
    /// any more once the job has completed.
    /// </summary>
    public bool Includes(string @namespace) => _origins.Include(@namespace);

    /// <summary>After a failed attempt, lets the next one try the secrets of namespaces that were over the limit before.</summary>
    /// <param name="areRejected">True if those that were tried are not worth another attempt.</param>
    /// <returns>False if no namespace waits.</returns>
    public bool AdvanceOrigins(bool areRejected)
    {
        if (!_origins.Advance(OriginsAtStart, areRejected))
            return false;
        if (areRejected)
            (FailuresOfOthers, Owner) = (Failures, Origins[0].Namespace);
        ReadOrigins();
        return true;
    }

    public void Complete(bool isDownstream) => _completion.TrySetResult(isDownstream);

    private void ReadOrigins()
    {
        Namespaces = [.. Origins.Select(origin => origin.Namespace).Distinct(StringComparer.Ordinal)];
        Sources = RegistryKey.SourcesOf(Work, Origins);
    }
}
