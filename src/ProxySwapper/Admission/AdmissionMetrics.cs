using System.Diagnostics.Metrics;
using System.Text.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>What admission counts. Image names never become label values; a registry does only when a rule names it.</summary>
internal sealed class AdmissionMetrics
{
    private static readonly string[] OutcomeNames =
    [
        .. Enum.GetNames<AdmissionOutcome>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName),
    ];
    private static readonly string[] ReasonNames = [.. Enum.GetNames<DecisionReason>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private readonly Counter<long> _admissions;
    private readonly Counter<long> _images;
    private readonly Counter<long> _refused;
    private readonly Histogram<double> _duration;

    public AdmissionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("ProxySwapper");
        _admissions = meter.CreateCounter<long>("proxyswapper_admissions_total", description: "Admission reviews answered, by result.");
        _images = meter.CreateCounter<long>("proxyswapper_images_total", description: "Images decided on, by result and source registry.");
        _refused = meter.CreateCounter<long>(
            "proxyswapper_bad_requests_total",
            description: "Requests that were no review, by HTTP status."
        );
        _duration = meter.CreateHistogram(
            "proxyswapper_patch_duration_seconds",
            "s",
            "From the whole request in memory to the answer.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5],
            }
        );
    }

    public void Answered(PodDecision decision, RuleSet rules, TimeSpan elapsed)
    {
        _admissions.Add(1, new KeyValuePair<string, object?>("result", OutcomeNames[(int)decision.Outcome]));
        foreach (var (_, image) in decision.Images)
            _images.Add(
                1,
                new KeyValuePair<string, object?>("result", ReasonNames[(int)image.Reason]),
                new KeyValuePair<string, object?>("registry", rules.MetricNameOf(image.Source))
            );
        _duration.Record(elapsed.TotalSeconds);
    }

    public void Refused(int status) => _refused.Add(1, new KeyValuePair<string, object?>("status", status));
}
