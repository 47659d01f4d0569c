using ProxySwapper.Population.Work;

namespace ProxySwapper.Population.Queue;

/// <summary>Work in the queue or in flight. Its state belongs to <see cref="PopulationQueue"/> and changes under that lock alone.</summary>
internal sealed class PopulationJob(PopulationWork work, PodOrigin origin, long sequence, DateTimeOffset now)
{
    /// <summary>Pods beyond these add no secrets to try: enough for the namespaces that start the same image at once.</summary>
    private const int MaximumOrigins = 8;

    private volatile IReadOnlyList<PodOrigin> _origins = [origin];
    private readonly TaskCompletionSource<bool> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PopulationWork Work { get; } = work;

    /// <summary>The order of arrival, which decides between jobs that are ready at the same time.</summary>
    public long Sequence { get; } = sequence;

    public DateTimeOffset QueuedAt { get; } = now;

    /// <summary>The Pods that asked, the first one first.</summary>
    public IReadOnlyList<PodOrigin> Origins => _origins;

    /// <summary>How many of them there were when the current try began.</summary>
    public int OriginsAtStart { get; set; }

    /// <summary>What the job asks.</summary>
    public IReadOnlyList<RegistryKey> Lanes { get; } = RegistryKey.Of(work, origin);

    /// <summary>The earliest time of the next try.</summary>
    public DateTimeOffset ReadyAt { get; set; } = now;

    /// <summary>When the current try began, or null while the job waits.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>Tries that failed.</summary>
    public int Failures { get; set; }

    /// <summary>Why the last try failed, or null.</summary>
    public string? LastFault { get; set; }

    /// <summary>True once a try has shown how much there is to move, and it is much.</summary>
    public bool IsLarge { get; set; }

    /// <summary>Requests of admission that wait for the end.</summary>
    public int Waiters { get; set; }

    /// <summary>Whether this try counts as one that could hold a worker for long.</summary>
    public bool RunsInSlowLane { get; set; }

    /// <summary>Bytes that the current try has to move, as far as is known.</summary>
    public long BytesTotal { get; set; }

    /// <summary>Bytes that the current try has moved.</summary>
    public long BytesDone { get; set; }

    /// <summary>True while another replica has the image under way.</summary>
    public bool IsDeferred { get; set; }

    /// <summary>Ends with true when the image is downstream, with false when that was given up.</summary>
    public Task<bool> Completion => _completion.Task;

    public void AddOrigin(PodOrigin another)
    {
        if (_origins.Count < MaximumOrigins && _origins.All(another.OpensOtherThan))
            _origins = [.. _origins, another];
    }

    public void Complete(bool isDownstream) => _completion.TrySetResult(isDownstream);
}
