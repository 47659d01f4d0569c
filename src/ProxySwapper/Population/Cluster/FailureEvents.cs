using System.Threading.Channels;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Reports images that could not be brought downstream in Events of their Pods. There is one Event per image, whose count increases. A rate
/// limit prevents floods: beyond a burst, a few per minute and namespace (<see cref="EventBudget"/>), however many images a failing
/// registry affects.
/// </summary>
internal sealed partial class FailureEvents(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    TimeProvider time,
    ILogger<FailureEvents> logger
) : BackgroundService
{
    public const string Reason = "ImagePopulateFailed";

    /// <summary>The reason for restored original images.</summary>
    public const string RestoredReason = "ImageLeftOriginal";

    /// <summary>The reason for a Pod released with images that are not downstream.</summary>
    public const string KeptReason = "ImageNotDownstream";
    private const string Action = "Populate";
    private const int MaximumPending = 10_000;
    private const int MaximumPendingOfNamespace = 100;

    /// <summary>API servers keep Events for an hour.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RepeatAtMostEvery = TimeSpan.FromMinutes(1);

    private readonly Channel<Failure> _failures = Channel.CreateBounded<Failure>(MaximumPending);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _pending = new(StringComparer.Ordinal);

    // Bounded by the budget of its lifetime.
    private readonly Dictionary<string, Written> _written = new(StringComparer.Ordinal);
    private readonly EventBudget _budget = new();
    private DateTimeOffset _cleanedAt;

    /// <summary>Reports a failed image. Returns at once.</summary>
    public void Report(PopulationJob job)
    {
        // With exists, the Pod runs with its original image, so nothing failed for its owner.
        if (rules.Current.Options.SwapPolicy == SwapPolicy.Exists)
            return;
        // For a Pod known only from a review, no Event is written.
        if (job.Origins.FirstOrDefault(origin => origin.Uid is not null) is not { } origin)
            return;
        var (error, attempts) = (job.LastFault ?? "", CountFormat.Format(job.Failures, "attempt"));
        var note = job.Work is CopyWork copy
            ? $"Copying {copy.Source} to {copy.Target} failed after {attempts}: {error}"
            : $"Pulling {job.Work.Target} through its cache failed after {attempts}: {error}";
        Write(
            job.Work.Key,
            new EventSubject(origin.ApiVersion, origin.Kind, origin.Namespace, origin.Name ?? "", origin.Uid),
            Reason,
            note
        );
    }

    /// <summary>Reports a Pod released without all its images downstream. Returns at once.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="restored">The number of restored images.</param>
    /// <param name="reason">Why.</param>
    public void ReportReleased(EventSubject pod, int restored, string reason) =>
        Write(
            pod.Uid ?? pod.Name,
            pod,
            restored > 0 ? RestoredReason : KeptReason,
            restored > 0 ? $"The Pod starts with its original images: {reason}" : $"The Pod starts with images that are missing: {reason}"
        );

    /// <summary>Reports something else about a Pod or this program. Returns at once.</summary>
    public void Write(string key, EventSubject subject, string reason, string note)
    {
        if (kubernetes.Client is null)
            return;
        lock (_gate)
        {
            var pending = _pending.GetValueOrDefault(subject.Namespace);
            if (pending < MaximumPendingOfNamespace && _failures.Writer.TryWrite(new Failure(key, subject, reason, note, time.GetUtcNow())))
                _pending[subject.Namespace] = pending + 1;
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var writer = new EventWriter(client, kubernetes.PodName, time);
        try
        {
            await foreach (var failure in _failures.Reader.ReadAllAsync(stoppingToken))
            {
                TakeFromPending(failure.Subject.Namespace);
                await WriteAsync(writer, failure, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The log has what is no longer reported in Events.
        }
    }

    private async Task WriteAsync(EventWriter writer, Failure failure, CancellationToken cancellationToken)
    {
        var key = failure.Key;
        var now = failure.At;
        if (now - _cleanedAt > RepeatAtMostEvery)
        {
            _cleanedAt = now;
            foreach (var old in _written.Where(entry => now - entry.Value.At > Lifetime).ToList())
                _written.Remove(old.Key);
        }
        try
        {
            if (_written.TryGetValue(key, out var written))
            {
                written.Count++;
                if (now - written.RepeatedAt < RepeatAtMostEvery)
                    return;
                written.RepeatedAt = now;
                if (await writer.RepeatAsync(written.Path, written.Count, cancellationToken))
                    return;
            }
            if (!_budget.TryTake(failure.Subject.Namespace, now))
            {
                Log.Left(logger, key);
                return;
            }
            var content = new EventContent(failure.Reason, Action, failure.Note);
            var path = await writer.WriteAsync(failure.Subject, content, cancellationToken);
            _written[key] = new Written(path, now);
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            Log.Failed(logger, key, fault.Message);
        }
    }

    private void TakeFromPending(string @namespace)
    {
        lock (_gate)
            if (--_pending[@namespace] == 0)
                _pending.Remove(@namespace);
    }

    private sealed record Failure(string Key, EventSubject Subject, string Reason, string Note, DateTimeOffset At);

    private sealed class Written(string path, DateTimeOffset at)
    {
        public string Path { get; } = path;
        public DateTimeOffset At { get; } = at;
        public DateTimeOffset RepeatedAt { get; set; } = at;
        public int Count { get; set; } = 1;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "No Event for {Target}: rate limit exceeded")]
        public static partial void Left(ILogger logger, string target);

        [LoggerMessage(2, LogLevel.Warning, "Cannot write the Event for {Target}: {Fault}")]
        public static partial void Failed(ILogger logger, string target, string fault);
    }
}
