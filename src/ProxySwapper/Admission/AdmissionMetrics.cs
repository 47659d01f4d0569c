using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using ProxySwapper.Rules;

namespace ProxySwapper.Admission;

/// <summary>Metrics of admission. Image names never become label values; registries do only if a rule names them.</summary>
internal sealed class AdmissionMetrics
{
    private static readonly string[] OutcomeNames =
    [
        .. Enum.GetNames<AdmissionOutcome>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName),
    ];
    private static readonly string[] ReasonNames = [.. Enum.GetNames<DecisionReason>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private static readonly string[] RejectedStatuses = ["400", "405", "408", "413", "415", "503"];

    private readonly Counter<long> _admissions;
    private readonly Counter<long> _images;
    private readonly Counter<long> _rejected;
    private readonly Histogram<double> _duration;

    public AdmissionMetrics(IMeterFactory meters, ConfigurationMonitor rules)
    {
        var meter = meters.Create("ProxySwapper");
        _admissions = meter.CreateCounter<long>(
            "proxyswapper_admissions_total",
            unit: null,
            description: "Admission reviews of Pods, by result; patched means that at least one image was rewritten.",
            tags: [new("result", OutcomeNames)]
        );
        _images = meter.CreateCounter<long>(
            "proxyswapper_images_total",
            unit: null,
            description: "Images in Pods, by the decision of the rules, such as rewritten or no_rule, and the registry that the Pod names.",
            tags: [new("registry", rules.Current.MetricNames), new("result", ReasonNames)]
        );
        _rejected = meter.CreateCounter<long>(
            "proxyswapper_bad_requests_total",
            unit: null,
            description: "Requests to the webhook that were rejected without a review, by HTTP status.",
            tags: [new("status", RejectedStatuses)]
        );
        _duration = meter.CreateHistogram(
            "proxyswapper_patch_duration_seconds",
            "s",
            "Time to respond to an admission review, from the complete request to the response, in seconds.",
            [],
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5],
            }
        );
    }

    public void Responded(PodDecision decision, RuleSet rules, TimeSpan elapsed)
    {
        _admissions.Add(1, new KeyValuePair<string, object?>("result", OutcomeNames[(int)decision.Outcome]));
        foreach (var (_, image) in decision.Images)
            _images.Add(
                1,
                new KeyValuePair<string, object?>("registry", rules.MetricNameOf(image.Source)),
                new KeyValuePair<string, object?>("result", ReasonNames[(int)image.Reason])
            );
        _duration.Record(elapsed.TotalSeconds);
    }

    public void Rejected(int status) =>
        _rejected.Add(1, new KeyValuePair<string, object?>("status", status.ToString(CultureInfo.InvariantCulture)));
}
