using System.Threading.Channels;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Cluster;

/// <summary>
/// Tells the owners of Pods, by an Event, that an image did not come downstream. One Event per image: when it fails again the Event
/// counts on. And no flood: beyond a burst, a few per minute, however many images a failing registry takes along.
/// </summary>
internal sealed partial class FailureEvents(
    KubernetesAccess kubernetes,
    ConfigurationMonitor rules,
    TimeProvider time,
    ILogger<FailureEvents> logger
) : BackgroundService
{
    public const string Reason = "ImagePopulateFailed";
    private const string Action = "Populate";
    private const int Burst = 20;
    private const int MaximumRemembered = 1000;
    private static readonly TimeSpan Refill = TimeSpan.FromSeconds(10);

    /// <summary>API servers keep Events for an hour.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RepeatAtMostEvery = TimeSpan.FromMinutes(1);

    private readonly Channel<Failure> _failures = Channel.CreateBounded<Failure>(
        new BoundedChannelOptions(MaximumRemembered) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly Dictionary<string, Written> _written = new(StringComparer.Ordinal);
    private double _tokens = Burst;
    private DateTimeOffset _refilledAt = time.GetUtcNow();

    /// <summary>An image was given up. Returns at once.</summary>
    public void Report(PopulationJob job)
    {
        // With exists, the Pod runs with its original image: nothing failed for its owner.
        if (kubernetes.Client is null || rules.Current.Options.SwapPolicy == SwapPolicy.Exists)
            return;
        _failures.Writer.TryWrite(new Failure(job.Work, job.Origins[0], job.Failures, job.LastFault ?? "", time.GetUtcNow()));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var writer = new EventWriter(client, kubernetes.PodName, time);
        try
        {
            await foreach (var failure in _failures.Reader.ReadAllAsync(stoppingToken))
                await WriteAsync(client, writer, failure, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The log has what no Event tells any more.
        }
    }

    private async Task WriteAsync(KubernetesClient client, EventWriter writer, Failure failure, CancellationToken cancellationToken)
    {
        var key = failure.Work.Key;
        var now = failure.At;
        foreach (var old in _written.Where(entry => now - entry.Value.At > Lifetime).ToList())
            _written.Remove(old.Key);
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
            if (_written.Count >= MaximumRemembered || !TryTakeToken(now))
            {
                Log.Left(logger, key);
                return;
            }
            var subject = await SubjectAsync(client, failure, cancellationToken);
            var path = await writer.WriteAsync(subject, new EventContent(Reason, Action, failure.Text), cancellationToken);
            _written[key] = new Written(path, now);
        }
        catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
        {
            Log.Failed(logger, key, fault.Message);
        }
    }

    /// <summary>The Pod that has the image. When it was admitted it had no uid yet, and perhaps no name.</summary>
    private async Task<EventSubject> SubjectAsync(KubernetesClient client, Failure failure, CancellationToken cancellationToken)
    {
        var origin = failure.Origin;
        var label = rules.Current.Options.PatchLabel;
        // A Pod with a proxy-cache path of its own has no label of ours.
        var selector = failure.Work is CopyWork ? $"{label.Key}={label.Value}" : "";
        var (prefix, target) = (origin.Name ?? "", failure.Work.Target.ToString());
        ListedPod? found = null;
        await foreach (
            var pod in new PodClient(client).ListAsync(
                ResourceQuery.LivePods(origin.Namespace, selector),
                ListedPod.Read,
                cancellationToken
            )
        )
        {
            if (!pod.Images.Any(image => image.Final == target))
                continue;
            found = pod;
            if (pod.Origin.Name!.StartsWith(prefix, StringComparison.Ordinal))
                break;
        }
        return new EventSubject("v1", "Pod", origin.Namespace, found?.Origin.Name ?? prefix.TrimEnd('-'), found?.Uid);
    }

    private bool TryTakeToken(DateTimeOffset now)
    {
        _tokens = Math.Min(Burst, _tokens + (now - _refilledAt) / Refill);
        _refilledAt = now;
        if (_tokens < 1)
            return false;
        _tokens--;
        return true;
    }

    private sealed record Failure(PopulationWork Work, PodOrigin Origin, int Tries, string Fault, DateTimeOffset At)
    {
        public string Text =>
            Work is CopyWork copy
                ? $"Copying {copy.Source} to {copy.Target} failed after {Tries} tries: {Fault}"
                : $"Pulling {Work.Target} through its cache failed after {Tries} tries: {Fault}";
    }

    private sealed class Written(string path, DateTimeOffset at)
    {
        public string Path { get; } = path;
        public DateTimeOffset At { get; } = at;
        public DateTimeOffset RepeatedAt { get; set; } = at;
        public int Count { get; set; } = 1;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "No Event for {Target}: there were too many of late")]
        public static partial void Left(ILogger logger, string target);

        [LoggerMessage(2, LogLevel.Warning, "The Event for {Target} cannot be written: {Fault}")]
        public static partial void Failed(ILogger logger, string target, string fault);
    }
}
