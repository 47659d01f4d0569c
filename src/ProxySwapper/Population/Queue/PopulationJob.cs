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

    /// <summary>The Pods that need the image, in order of arrival.</summary>
    public IReadOnlyList<PodOrigin> Origins => _origins;

    /// <summary>Their number at the start of the current attempt.</summary>
    public int OriginsAtStart { get; set; }

    /// <summary>The registries that the job uses.</summary>
    public IReadOnlyList<RegistryKey> Lanes { get; } = RegistryKey.Of(work, origin);

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

    /// <summary>Admission requests waiting for the result.</summary>
    public int Waiters { get; set; }

    /// <summary>Whether this attempt is in the slow lane.</summary>
    public bool RunsInSlowLane { get; set; }

    /// <summary>Bytes that the current attempt has to copy, as far as known.</summary>
    public long BytesTotal { get; set; }

    /// <summary>Bytes that the current attempt has copied.</summary>
    public long BytesDone { get; set; }

    /// <summary>True while another replica is copying the image.</summary>
    public bool IsDeferred { get; set; }

    /// <summary>Completes with true when the image is downstream, with false on failure.</summary>
    public Task<bool> Completion => _completion.Task;

    public void AddOrigin(PodOrigin another)
    {
        if (_origins.Count < MaximumOrigins && _origins.All(another.OpensOtherThan))
            _origins = [.. _origins, another];
    }

    public void Complete(bool isDownstream) => _completion.TrySetResult(isDownstream);
}
