using System.Diagnostics.Metrics;
using System.Text.Json;

namespace ProxySwapper.Population.Gates;

/// <summary>Metrics of gated Pods.</summary>
internal sealed class GateMetrics
{
    private static readonly string[] ResultNames = [.. Enum.GetNames<GateResult>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _restored;

    public GateMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("ProxySwapper");
        _duration = _meter.CreateHistogram(
            "proxyswapper_gate_duration_seconds",
            "s",
            "Time that Pods were held back by the scheduling gate proxyswapper.io/image, in seconds, by result.",
            [new("result", Enum.GetValues<GateResult>().Where(IsCounted).Select(NameOf).ToArray())],
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600] }
        );
        _restored = _meter.CreateCounter<long>(
            "proxyswapper_images_restored_total",
            unit: null,
            description: "Images put back to the original because they were not copied before populate.gate.deadline.",
            tags: []
        );
    }

    /// <summary>Exports the number of currently gated Pods, and of those past their deadline.</summary>
    public void Observe(Func<int> count, Func<int> countOverdue)
    {
        _meter.CreateObservableGauge(
            "proxyswapper_gated_pods",
            count,
            description: "Pods held back by the scheduling gate proxyswapper.io/image until their images are copied."
        );
        _meter.CreateObservableGauge(
            "proxyswapper_gated_pods_overdue",
            countOverdue,
            description: "Pods still held back after populate.gate.deadline, because the API server does not let us release them."
        );
    }

    public void Ended(GateResult result, TimeSpan waited, int restored)
    {
        if (!IsCounted(result))
            return;
        _duration.Record(waited.TotalSeconds, new KeyValuePair<string, object?>("result", NameOf(result)));
        if (restored > 0)
            _restored.Add(restored);
    }

    /// <summary>A Pod is counted by the replica that released it.</summary>
    private static bool IsCounted(GateResult result) => result is not (GateResult.LiftedByOthers or GateResult.Gone);

    private static string NameOf(GateResult result) => ResultNames[(int)result];
}
