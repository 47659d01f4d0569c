using System.Collections.Immutable;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>What admission does for population: hands over the images of a Pod, and waits for them where a policy says so.</summary>
internal sealed partial class PopulationObserver(
    ConfigurationMonitor rules,
    PopulationQueue queue,
    DownstreamLookup lookup,
    DownstreamHealth health,
    PopulationMetrics metrics,
    TimeProvider time,
    ILogger<PopulationObserver> logger
) : IAdmissionObserver
{
    private volatile Compiled? _compiled;

    public bool DelaysResponse => IsAwaited(rules.Current.Options) || health.IsFallingBack;

    public async ValueTask<PodDecision> BeforeResponseAsync(AdmittedPod pod, PodDecision decision, CancellationToken cancellationToken)
    {
        var options = rules.Current.Options;
        using var deadline = new CancellationTokenSource(options.Populate.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        // All images of a Pod at once: they share one deadline.
        var images = await Task.WhenAll(pod.Images.Select(image => DecideAsync(pod, image, options, either.Token)));
        var slots = decision.Images.Select((slot, index) => slot with { Decision = images[index] }).ToImmutableArray();
        return decision.WithImages(slots);
    }

    public void AfterResponse(AdmittedPod pod)
    {
        foreach (var image in pod.Images)
            if (Downstream(image.Decision) is { } registry)
                health.Watch(registry);
        // What was awaited was handed over before the answer.
        if (IsAwaited(rules.Current.Options))
            return;
        foreach (var image in pod.Images)
            Enqueue(pod, image);
    }

    private async Task<ImageDecision> DecideAsync(
        AdmittedPod pod,
        PodImageDecision image,
        ProxySwapperOptions options,
        CancellationToken deadline
    )
    {
        var decision = image.Decision;
        if (Downstream(decision) is { } registry)
        {
            health.Watch(registry);
            if (health.FailureOf(registry) is { } fault)
                return LetThrough(decision, $"{registry} is failing: {fault}");
        }
        var isImmediate = options.Populate.Policy == PopulatePolicy.Immediate;
        if (options.SwapPolicy != SwapPolicy.Exists || decision.Target is not { } target || !decision.Populate)
        {
            if (isImmediate)
                await BringAsync(pod, image, deadline);
            return decision;
        }
        var presence = await lookup.FindAsync(target, deadline);
        if (presence != ImagePresence.Present && isImmediate && await BringAsync(pod, image, deadline))
            return decision;
        if (presence == ImagePresence.Unknown)
            health.Suspect(target.Registry);
        // What is missing is copied for the next time; what is there may have to be looked at again.
        Enqueue(pod, image);
        return presence switch
        {
            ImagePresence.Present => decision,
            ImagePresence.Missing => decision with { Target = null, Reason = DecisionReason.NotDownstream },
            _ => LetThrough(decision, $"{target.Registry} did not tell in time whether it has {target}"),
        };
    }

    /// <summary>The registry that an image was sent to and that is ours to fill, or null.</summary>
    private static string? Downstream(ImageDecision decision) => decision.Populate ? decision.Target?.Registry : null;

    private static ImageDecision LetThrough(ImageDecision decision, string reason) =>
        decision with
        {
            Target = null,
            Reason = DecisionReason.DownstreamFailing,
            Warning = $"image '{Truncation.Shorten(decision.Image, Truncation.MaximumShownLength)}' is left as it is: {reason}",
        };

    private static bool IsAwaited(ProxySwapperOptions options) =>
        options is { SwapPolicy: SwapPolicy.Exists } or { Populate.Policy: PopulatePolicy.Immediate };

    /// <summary>Waits for an image until the deadline; true when it is downstream. The copy goes on in any case.</summary>
    private async Task<bool> BringAsync(AdmittedPod pod, PodImageDecision image, CancellationToken deadline)
    {
        if (pod.IsDryRun || Enqueue(pod, image) is not { } job)
            return false;
        using (queue.Prioritize(job))
        {
            await ((Task)job.Completion).WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return job.Completion is { IsCompletedSuccessfully: true, Result: true };
        }
    }

    private PopulationJob? Enqueue(AdmittedPod pod, PodImageDecision image)
    {
        if (
            pod.IsDryRun
            || rules.Current.Options.Populate.Policy == PopulatePolicy.None
            || Source().WorkFor(image.Decision) is not { } work
        )
            return null;
        var origin = new PodOrigin(pod.Namespace, pod.Name, pod.ServiceAccountName, pod.PullSecrets, pod.Activity);
        var (outcome, job) = queue.TryEnqueue(work, origin, image.IsPulledAlways);
        switch (outcome)
        {
            case EnqueueOutcome.Dropped:
                metrics.Dropped();
                Log.Dropped(logger, work.Key, pod.Namespace, pod.Name);
                break;
            case EnqueueOutcome.Closed:
                Log.TooLate(logger, work.Key, pod.Namespace, pod.Name);
                break;
        }
        return job;
    }

    private PopulationPlanner Source()
    {
        var current = rules.Current;
        var compiled = _compiled;
        if (compiled?.Rules != current)
            _compiled = compiled = new Compiled(current, PopulationPlanner.Compile(current.Options.Populate));
        return compiled.Source;
    }

    private sealed record Compiled(RuleSet Rules, PopulationPlanner Source);

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "{Target} of Pod {Namespace}/{Pod} is not copied: the queue is full; the next Pod with it tries again"
        )]
        public static partial void Dropped(ILogger logger, string target, string @namespace, string pod);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "{Target} of Pod {Namespace}/{Pod} is not copied: the program ends; the next start finds it missing"
        )]
        public static partial void TooLate(ILogger logger, string target, string @namespace, string pod);
    }
}
