using System.Threading.Channels;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;

namespace ProxySwapper.Population;

/// <summary>
/// Copies the images of ephemeral containers (<c>kubectl debug</c>): their subresource cannot set labels, so that no watch shows them. A
/// review, which anyone could post, only shows which Pod to read and what its original images were; only images that the API server then
/// returns are copied.
/// </summary>
internal sealed partial class EphemeralImages(
    KubernetesAccess kubernetes,
    SeenNamespaces namespaces,
    PodPlanner planner,
    PopulationMetrics metrics,
    TimeProvider time,
    ILogger<EphemeralImages> logger
) : BackgroundService
{
    /// <summary>How many Pods wait for one of those that are looked at; beyond, their images are not copied.</summary>
    private const int MaximumWaiting = 100;

    /// <summary>
    /// How many are looked at concurrently. Most of that time is a pause, and all pauses pass where the review's images are never stored.
    /// </summary>
    private const int MaximumConcurrent = 100;

    /// <summary>How many of one namespace wait or are looked at.</summary>
    private const int MaximumOfNamespace = (MaximumWaiting + MaximumConcurrent) / 10;

    /// <summary>How many of all namespaces that only reviews have named, which may be forged: others are looked at meanwhile.</summary>
    private const int MaximumUnseen = MaximumConcurrent / 2;

    /// <summary>How many characters of all reviews may be kept; usual ones have a few hundred.</summary>
    private const long MaximumText = 1_000_000;

    private const long MaximumTextOfNamespace = MaximumText / 10;

    /// <summary>The pauses before each look: after our response, the API server calls other webhooks, and then stores the Pod.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(15)];

    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Channel<Review> _admitted = Channel.CreateBounded<Review>(MaximumWaiting);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Load> _ofNamespace = new(StringComparer.Ordinal);
    private Load _all;
    private Load _unseen;
    private long _lastDropped;

    /// <summary>Looks at a Pod soon, if the review was of ephemeral containers. Returns at once.</summary>
    public void Admitted(AdmittedPod pod)
    {
        if (
            kubernetes.Client is not null
            && pod.Rules.Options is { DryRun: false, Populate.Policy: not PopulatePolicy.None }
            && pod.Images.Any(image => IsEphemeral(image.PodImage))
            && ObjectName.IsValid(pod.Namespace)
            && ObjectName.IsValid(pod.Name)
            && !TryAdd(pod)
        )
        {
            foreach (var _ in pod.Images.Where(image => IsEphemeral(image.PodImage)))
                metrics.Dropped();
            // Reviews may be forged: not a line for each.
            var last = Interlocked.Read(ref _lastDropped);
            var now = time.GetTimestamp();
            if (
                (last == 0 || time.GetElapsedTime(last, now) >= LogInterval)
                && Interlocked.CompareExchange(ref _lastDropped, now, last) == last
            )
                Log.Dropped(logger, pod.Namespace, pod.Name);
        }
    }

    private bool TryAdd(AdmittedPod admitted)
    {
        var pod = admitted with { Images = [.. admitted.Images.Where(image => IsEphemeral(image.PodImage))], PullSecrets = [] };
        var load = new Load(1, pod.Images.Sum(image => (long)image.PodImage.Name.Length + (2 * image.PodImage.Image.Length)));
        lock (_gate)
        {
            var ofNamespace = _ofNamespace.GetValueOrDefault(pod.Namespace) + load;
            var isUnseen = !namespaces.Contains(pod.Namespace);
            var unseen = isUnseen ? _unseen + load : _unseen;
            var all = _all + load;
            if (
                ofNamespace.Exceeds(MaximumOfNamespace, MaximumTextOfNamespace)
                || unseen.Exceeds(MaximumUnseen, MaximumText / 2)
                || all.Text > MaximumText
                || !_admitted.Writer.TryWrite(new Review(pod, load, isUnseen))
            )
                return false;
            (_ofNamespace[pod.Namespace], _unseen, _all) = (ofNamespace, unseen, all);
            return true;
        }
    }

    private void Remove(Review review)
    {
        lock (_gate)
        {
            _all -= review.Load;
            _unseen -= review.IsUnseen ? review.Load : default;
            var ofNamespace = _ofNamespace[review.Pod.Namespace] -= review.Load;
            if (ofNamespace.Count == 0)
                _ofNamespace.Remove(review.Pod.Namespace);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        if (kubernetes.Client is { } client)
            await Parallel.ForEachAsync(
                _admitted.Reader.ReadAllAsync(stoppingToken),
                new ParallelOptions { MaxDegreeOfParallelism = MaximumConcurrent, CancellationToken = stoppingToken },
                async (review, token) =>
                {
                    try
                    {
                        await ReadAsync(client, review.Pod, token);
                    }
                    finally
                    {
                        Remove(review);
                    }
                }
            );
    }

    private async ValueTask ReadAsync(KubernetesClient client, AdmittedPod pod, CancellationToken cancellationToken)
    {
        foreach (var pause in Pauses)
        {
            await Task.Delay(pause, time, cancellationToken);
            try
            {
                if (await IsOverAsync(client, pod, cancellationToken))
                    return;
            }
            catch (Exception fault) when (fault is KubernetesException or KubernetesConnectionException)
            {
                Log.Failed(logger, pod.Namespace, pod.Name, fault.Message);
            }
        }
    }

    /// <summary>
    /// Queues the images that the Pod has; false if it has none of them yet. A Pod exists before an ephemeral container is added to it, so
    /// a review of one that does not is not waited for.
    /// </summary>
    private async Task<bool> IsOverAsync(KubernetesClient client, AdmittedPod pod, CancellationToken cancellationToken)
    {
        var query = new ResourceQuery(ResourceType.Pods, pod.Namespace) { FieldSelector = $"metadata.name={pod.Name}" };
        var (exists, isPlanned) = (false, false);
        await foreach (var listed in new PodClient(client).ListAsync(query, ListedPod.Read, cancellationToken))
        {
            namespaces.Add(pod.Namespace);
            var images = listed.Images.Where(image => image.IsEphemeral).SelectMany(image => WithOriginal(image, pod)).ToList();
            planner.Plan(listed with { Images = images });
            (exists, isPlanned) = (true, isPlanned || images.Count > 0);
        }
        return isPlanned || !exists;
    }

    /// <summary>The image with its original by the review, null if that left it unchanged; none if the review was not about it.</summary>
    private static IEnumerable<ListedImage> WithOriginal(ListedImage image, AdmittedPod pod)
    {
        var isAdded = false;
        foreach (var (place, decision) in pod.Images)
        {
            if (!IsEphemeral(place) || image.Final != (decision.Target?.ToString() ?? place.Image))
                continue;
            if (decision.IsRewritten)
                return [image with { Original = place.Image }];
            isAdded = true;
        }
        return isAdded ? [image with { Original = null }] : [];
    }

    private static bool IsEphemeral(PodImage image) => image.Kind is PodImageKind.EphemeralContainer or PodImageKind.BareEphemeralContainer;

    /// <summary>A review of ephemeral containers.</summary>
    /// <param name="Pod">What it is about, with the images of ephemeral containers only.</param>
    /// <param name="Load">What it counted as.</param>
    /// <param name="IsUnseen">Whether it counted as one of a namespace that only reviews have named.</param>
    private sealed record Review(AdmittedPod Pod, Load Load, bool IsUnseen);

    /// <summary>Reviews and the characters of their images.</summary>
    private readonly record struct Load(int Count, long Text)
    {
        public static Load operator +(Load one, Load other) => new(one.Count + other.Count, one.Text + other.Text);

        public static Load operator -(Load one, Load other) => new(one.Count - other.Count, one.Text - other.Text);

        public bool Exceeds(int count, long text) => Count > count || Text > text;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Cannot read Pod {Namespace}/{Name} to copy the images of its ephemeral containers: {Fault}")]
        public static partial void Failed(ILogger logger, string @namespace, string name, string fault);

        [LoggerMessage(
            2,
            LogLevel.Warning,
            "The images of the ephemeral containers of Pod {Namespace}/{Name}, and perhaps of others, are not copied: too many such Pods, "
                + "of the cluster or of its namespace, wait; copy them with 'proxyswapper copy'"
        )]
        public static partial void Dropped(ILogger logger, string @namespace, string name);
    }
}
