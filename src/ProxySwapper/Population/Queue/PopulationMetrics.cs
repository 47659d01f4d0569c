using System.Diagnostics.Metrics;
using System.Text.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Population.Queue;

/// <summary>Metrics of population. A registry is a label value only if it is configured or well known.</summary>
internal sealed class PopulationMetrics
{
    private static readonly string[] OutcomeNames =
    [
        .. Enum.GetNames<TransferOutcome>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName),
    ];

    private const string FailedName = "failed";

    private readonly ConfigurationMonitor _rules;
    private readonly Counter<long> _copies;
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _duration;

    public PopulationMetrics(IMeterFactory meters, ConfigurationMonitor rules, PopulationQueue queue)
    {
        _rules = rules;
        var meter = meters.Create("ProxySwapper");
        var registries = new KeyValuePair<string, object?>("registry", rules.Current.MetricNames);
        _copies = meter.CreateCounter<long>(
            "proxyswapper_populate_copies_total",
            unit: null,
            description: "Images copied to the target registry, or failed permanently (result failed), by result and source registry.",
            tags: [new("result", (string[])[.. OutcomeNames, FailedName]), registries]
        );
        _bytes = meter.CreateCounter<long>(
            "proxyswapper_populate_bytes_total",
            unit: null,
            description: "Bytes of image blobs copied to the target registry, by source registry.",
            tags: [registries]
        );
        _dropped = meter.CreateCounter<long>(
            "proxyswapper_populate_dropped_total",
            unit: null,
            description: "Images not queued for copying because the population queue, or that of Pods with ephemeral containers, was full.",
            tags: []
        );
        _retries = meter.CreateCounter<long>(
            "proxyswapper_populate_retries_total",
            unit: null,
            description: "Failed attempts to copy an image that will be retried, by source registry.",
            tags: [registries]
        );
        _duration = meter.CreateHistogram(
            "proxyswapper_populate_duration_seconds",
            "s",
            "Time to copy an image to the target registry, in seconds, by result.",
            [new("result", OutcomeNames)],
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
            }
        );
        meter.CreateObservableGauge(
            "proxyswapper_populate_queue_depth",
            () => queue.WaitingCount,
            description: "Images waiting in the population queue to be copied."
        );
        meter.CreateObservableGauge(
            "proxyswapper_populate_in_flight",
            () => queue.RunningCount,
            description: "Images being copied to the target registry now."
        );
        meter.CreateObservableGauge(
            "proxyswapper_populate_known_images",
            () => queue.Known.Count,
            description: "Images that this replica knows to be in the target registry, so that their Pods need not wait."
        );
    }

    public void Succeeded(PopulationJob job, TransferResult result, TimeSpan duration)
    {
        var outcome = OutcomeNames[(int)result.Outcome];
        _copies.Add(1, new KeyValuePair<string, object?>("result", outcome), RegistryOf(job));
        if (result.Bytes > 0)
            _bytes.Add(result.Bytes, RegistryOf(job));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("result", outcome));
    }

    public void GivenUp(PopulationJob job) => _copies.Add(1, new KeyValuePair<string, object?>("result", FailedName), RegistryOf(job));

    public void Retried(PopulationJob job) => _retries.Add(1, RegistryOf(job));

    public void Dropped() => _dropped.Add(1);

    private KeyValuePair<string, object?> RegistryOf(PopulationJob job) => new("registry", _rules.Current.MetricNameOf(job.Work.Origin));
}
