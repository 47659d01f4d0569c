using System.Collections.Concurrent;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Gates;

/// <summary>
/// The Pods that wait behind our gate, each until its images are downstream, have failed, or are late; then it is released in any case.
/// Each replica does this for all Pods; the first one releases, the others see the result.
/// </summary>
internal sealed partial class GatedPods(
    KubernetesAccess kubernetes,
    GateReleaser releaser,
    ConfigurationMonitor rules,
    DownstreamLookup lookup,
    GateReport report,
    TimeProvider time,
    ILogger<GatedPods> logger
) : BackgroundService
{
    /// <summary>The maximum length of the reason for restored originals.</summary>
    private const int MaximumReason = 1024;

    /// <summary>The number of concurrent patches.</summary>
    private const int MaximumCalls = 16;

    /// <summary>Those of one namespace: however many of its Pods are due, those of others are released between them.</summary>
    private const int MaximumCallsOfNamespace = MaximumCalls * 3 / 4;

    /// <summary>After this many internal errors of the API server, the Pod is released with unchanged images.</summary>
    private const int AttemptsWithChanges = 3;

    /// <summary>The longest pause between two attempts to release a Pod.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>How soon a reloaded deadline applies to waiting Pods.</summary>
    public static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(5);

    private readonly SteadyClock _clock = new(time);
    private readonly ConcurrentDictionary<string, GatedPodState> _pods = new(StringComparer.Ordinal);
    private readonly AsyncSignal _signal = new(time);
    private readonly SemaphoreSlim _calls = new(MaximumCalls);
    private readonly KeyedLimiter _turns = new(MaximumCallsOfNamespace);
    private readonly Backoff _backoff = new(Random.Shared.NextDouble);

    /// <summary>The number of waiting Pods.</summary>
    public int Count => _pods.Count;

    /// <summary>The number of Pods still gated after their deadline.</summary>
    public int OverdueCount
    {
        get
        {
            var latest = _clock.UtcNow - Options.Deadline;
            return _pods.Values.Count(state => state.Since < latest);
        }
    }

    /// <summary>The waiting Pods, longest first.</summary>
    public IReadOnlyList<GatedPodState> Snapshot() => [.. _pods.Values.OrderBy(state => state.Since)];

    /// <summary>The clock of the times of the waiting Pods.</summary>
    public SteadyClock Clock => _clock;

    private GateOptions Options => rules.Current.Options.Populate.Gate;

    /// <summary>Adds or updates a gated Pod.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="wasListed">True if it was found in a list and may have waited for long.</param>
    /// <param name="ensureDownstream">Waits until an image is downstream; returns null, or why it failed.</param>
    public void Track(GatedPod pod, bool wasListed, Func<GatedImage, CancellationToken, Task<string?>> ensureDownstream)
    {
        var state = _pods.GetOrAdd(pod.Uid, _ => new GatedPodState(pod, _clock.UtcNow, wasListed ? ByOurClock(pod.CreatedAt) : null));
        foreach (var image in state.Update(pod))
            _ = EnsureDownstreamAsync(state, image, ensureDownstream);
        _signal.Raise();
    }

    /// <summary>Removes a Pod that a watch no longer shows behind our gate.</summary>
    /// <param name="uid">The Pod.</param>
    /// <param name="hasLabel">
    /// True for the watch of Pods with our label, false for another: each says nothing about the Pods that only the other shows.
    /// </param>
    public void Forget(string uid, bool hasLabel)
    {
        if (_pods.TryGetValue(uid, out var state) && state.Pod.HasLabel == hasLabel)
            Forget(state);
    }

    /// <summary>Removes all Pods that are not in the list of a watch.</summary>
    /// <param name="uids">The Pods in the list.</param>
    /// <param name="hasLabel">As in <see cref="Forget(string, bool)"/>.</param>
    public void Keep(IReadOnlySet<string> uids, bool hasLabel)
    {
        foreach (var uid in _pods.Keys)
            if (!uids.Contains(uid))
                Forget(uid, hasLabel);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not null)
            report.Observe(this);
        return BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);
    }

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is not { } client)
            return;
        var pods = new PodClient(client);
        try
        {
            while (true)
            {
                var change = _signal.Next;
                var next = Start(pods, stoppingToken);
                var pause = next - _clock.UtcNow;
                await _signal.WaitAsync(change, pause > ReloadInterval ? ReloadInterval : pause, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The label stays: another replica, or the next start, finds them.
        }
    }

    /// <summary>Releases all Pods that are due.</summary>
    /// <returns>When the next one is due.</returns>
    private DateTimeOffset? Start(PodClient pods, CancellationToken cancellationToken)
    {
        var (now, deadline) = (_clock.UtcNow, Options.Deadline);
        DateTimeOffset? next = null;
        foreach (var state in _pods.Values)
        {
            if (state.IsInFlight)
                continue;
            var due = state.IsSettled ? state.NextTry : Later(state.Since + deadline, state.NextTry);
            if (due > now)
            {
                if (next is null || due < next)
                    next = due;
                continue;
            }
            state.IsInFlight = true;
            _ = ReleaseAsync(pods, state, cancellationToken);
        }
        return next;
    }

    private async Task ReleaseAsync(PodClient pods, GatedPodState state, CancellationToken cancellationToken)
    {
        try
        {
            using var turn = await _turns.EnterAsync(state.Pod.Namespace, cancellationToken);
            await _calls.WaitAsync(cancellationToken);
            try
            {
                var options = Options;
                // While this one waited, another replica may have been faster, or the Pod got another image or more time.
                if (state.Ended.IsCancellationRequested || !state.IsSettled && state.Since + options.Deadline > _clock.UtcNow)
                    return;
                var plan = PlanOf(state, options);
                var outcome = await releaser.ReleaseAsync(pods, state.Pod, plan, cancellationToken);
                Forget(state);
                report.Ended(state.Pod, _clock.UtcNow - state.Since, plan, outcome);
            }
            finally
            {
                _calls.Release();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The label stays.
        }
        catch (Exception problem)
        {
            // Whatever it is, a rejection or an invalid response: the Pod must not wait forever because of it.
            state.Failures++;
            state.NextTry = _clock.UtcNow + Shorter(_backoff.After(state.Failures, null), LongestPause);
            Log.NotReleased(logger, state.Pod.ToString(), _clock.ToSystemTime(state.NextTry), problem.Message);
        }
        finally
        {
            state.IsInFlight = false;
            _signal.Raise();
        }
    }

    private void Forget(GatedPodState state)
    {
        if (_pods.TryRemove(state.Pod.Uid, out _))
            state.Dispose();
    }

    private ReleasePlan PlanOf(GatedPodState state, GateOptions options)
    {
        var reason = state.Describe(options.Deadline);
        return new ReleasePlan(reason is null ? null : Truncation.Shorten(reason, MaximumReason), state.IsDownstream)
        {
            KeepsImages = reason is not null && options.OnFailure == GateFailurePolicy.Keep,
            MayDropChanges = state.Failures >= AttemptsWithChanges,
            Pin = options.PinDigests ? PinOf : null,
        };
    }

    private string? PinOf(string image) =>
        !image.Contains('@', StringComparison.Ordinal) && lookup.DigestOf(image) is { } digest ? $"{image}@{digest}" : null;

    private async Task EnsureDownstreamAsync(
        GatedPodState state,
        GatedImage image,
        Func<GatedImage, CancellationToken, Task<string?>> ensureDownstream
    )
    {
        try
        {
            if (await ensureDownstream(image, state.Ended) is { } error)
                state.Failed(image.Image, error);
            else
                state.Arrived(image.Image);
        }
        catch (OperationCanceledException)
        {
            // The Pod no longer waits, or the program is shutting down.
        }
        catch (Exception problem)
        {
            // A fault of this program: the Pod need not wait for it.
            state.Failed(image.Image, problem.Message);
            Log.NotAwaited(logger, image.Image, state.Pod.ToString(), problem);
        }
        _signal.Raise();
    }

    /// <summary>A time of the API server, whose clock and ours may differ by more than the deadline. Never throws.</summary>
    private DateTimeOffset ByOurClock(DateTimeOffset theirs)
    {
        var now = _clock.UtcNow;
        var age = (kubernetes.Client?.ServerTime ?? now) - theirs;
        return age < now - DateTimeOffset.MinValue && -age < DateTimeOffset.MaxValue - now ? now - age : theirs;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Error, "Cannot release Pod {Pod}, next attempt at {NextTry:u}: {Error}")]
        public static partial void NotReleased(ILogger logger, string pod, DateTimeOffset nextTry, string error);

        [LoggerMessage(4, LogLevel.Error, "Waiting for {Target} of Pod {Pod} failed with an internal error")]
        public static partial void NotAwaited(ILogger logger, string target, string pod, Exception problem);
    }
}
