using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Admission;

/// <summary>The images that would have been rewritten while <c>dryRun</c> is on, each once with a count.</summary>
internal sealed partial class DryRunImages(TimeProvider time, ILogger<DryRunImages> logger)
{
    /// <summary>Limits the number of images, so that Pods cannot fill memory or log.</summary>
    private const int MaximumRemembered = 500;

    private readonly SteadyClock _clock = new(time);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Image, string Target), DryRunImage> _images = [];

    /// <summary>Records a Pod. New images are logged.</summary>
    public void Add(AdmissionReview review, PodDecision decision)
    {
        foreach (var (_, image) in decision.Images)
            if (image.Target?.ToString() is { } target && IsNew(review.Namespace, image.Image, target, image.Rule ?? ""))
                Log.WouldRewrite(logger, review.Namespace, review.PodName, image.Image, target, image.Rule);
    }

    /// <summary>The images, most recently seen first.</summary>
    public IReadOnlyList<DryRunImage> Snapshot()
    {
        lock (_lock)
            return
            [
                .. _images
                    .Values.OrderByDescending(image => image.LastSeen)
                    .Select(image => image with { LastSeen = _clock.ToSystemTime(image.LastSeen) }),
            ];
    }

    private bool IsNew(string @namespace, string image, string target, string rule)
    {
        lock (_lock)
        {
            var isKnown = _images.TryGetValue((image, target), out var known);
            if (!isKnown && _images.Count >= MaximumRemembered)
                return false;
            _images[(image, target)] = new DryRunImage(image, target, rule, @namespace, (known?.Count ?? 0) + 1, _clock.UtcNow);
            return !isKnown;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            1,
            LogLevel.Information,
            "Dry run: {Image} of Pod {PodNamespace}/{Pod} would be rewritten to {Target} by {Rule}; more Pods with it are counted"
        )]
        public static partial void WouldRewrite(ILogger logger, string podNamespace, string pod, string image, string target, string? rule);
    }
}

/// <summary>An image that would have been rewritten.</summary>
/// <param name="Image">The image in the Pod.</param>
/// <param name="Target">Where it would go.</param>
/// <param name="Rule">The rule that decides.</param>
/// <param name="Namespace">The namespace where it was last seen.</param>
/// <param name="Count">How often it was seen.</param>
/// <param name="LastSeen">When it was last seen.</param>
internal sealed record DryRunImage(string Image, string Target, string Rule, string Namespace, long Count, DateTimeOffset LastSeen);
