using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Chart;

/// <summary>Alerts and the dashboard query metrics that exist.</summary>
[TestFixture]
internal sealed partial class ChartMonitoringTests
{
    /// <summary>Prefixes of the metrics of API servers, Distribution and kube-state-metrics.</summary>
    private static readonly string[] Others =
    [
        "apiserver_admission_webhook_fail_open_count",
        "apiserver_admission_webhook_rejection_count",
        "apiserver_admission_webhook_admission_duration_seconds_bucket",
        "registry_proxy_hits_total",
        "registry_proxy_requests_total",
        "registry_proxy_pulled_bytes_total",
        "registry_proxy_pushed_bytes_total",
        "kube_job_status_failed",
    ];

    private readonly HashSet<string> _instruments = Directory
        .GetFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Instrument().Matches(File.ReadAllText(file)))
        .SelectMany(match =>
            match.Groups[1].Value == "Histogram"
                ? [$"{match.Groups[2]}_bucket", $"{match.Groups[2]}_sum", $"{match.Groups[2]}_count"]
                : new[] { match.Groups[2].Value }
        )
        .ToHashSet();

    private readonly JsonObject _dashboard = JsonNode
        .Parse(File.ReadAllText(SourceTree.PathOf("chart", "dashboards", "proxyswapper.json")))!
        .AsObject();

    private readonly IReadOnlyList<JsonNode> _alerts =
    [
        .. YamlObjects.Read("alerts:\n" + File.ReadAllText(SourceTree.PathOf("chart", "files", "alerts.yaml")))[0]["alerts"]!
            .AsArray()
            .Select(alert => alert!),
    ];

    [Test]
    public void Every_metric_of_an_alert_exists() =>
        Assert.That(_alerts.SelectMany(alert => MetricsOf((string)alert["expr"]!)).Where(name => !Exists(name)), Is.Empty);

    [Test]
    public void Every_metric_of_the_dashboard_exists()
    {
        var expressions = Panels().SelectMany(panel => panel["targets"]!.AsArray()).Select(target => (string)target!["expr"]!).ToList();
        Assert.That(expressions, Has.Count.GreaterThan(20));
        Assert.That(expressions.SelectMany(MetricsOf).Where(name => !Exists(name)), Is.Empty);
    }

    [Test]
    public void The_dashboard_shows_every_instrument_of_the_program()
    {
        var shown = Panels()
            .SelectMany(panel => panel["targets"]!.AsArray())
            .SelectMany(target => MetricsOf((string)target!["expr"]!))
            .ToHashSet();
        // The time of a reload and the other parts of a histogram add nothing to the rest.
        Assert.That(
            _instruments.Where(name =>
                name.StartsWith("proxyswapper_", StringComparison.Ordinal)
                && !shown.Contains(name)
                && !name.EndsWith("_sum", StringComparison.Ordinal)
                && !name.EndsWith("_count", StringComparison.Ordinal)
            ),
            Is.EquivalentTo(new[] { "proxyswapper_config_last_reload_timestamp_seconds" })
        );
    }

    [Test]
    public void Every_alert_says_how_severe_it_is_and_what_to_do()
    {
        foreach (var alert in _alerts)
        {
            Assert.That((string?)alert["alert"], Does.StartWith("ProxySwapper"));
            Assert.That((string?)alert["labels"]!["severity"], Is.EqualTo("critical").Or.EqualTo("warning"));
            Assert.That((string?)alert["annotations"]!["summary"], Is.Not.Empty);
            Assert.That(((string)alert["annotations"]!["description"]!).Length, Is.GreaterThan(40));
        }
    }

    [Test]
    public void The_dashboards_panels_do_not_overlap_and_have_different_ids()
    {
        var places = _dashboard["panels"]!
            .AsArray()
            .Select(panel => panel!["gridPos"]!)
            .Select(place => ((int)place["x"]!, (int)place["y"]!))
            .ToList();
        Assert.That(places, Is.Unique);
        Assert.That(_dashboard["panels"]!.AsArray().Select(panel => (int)panel!["id"]!), Is.Unique);
    }

    private bool Exists(string name) => _instruments.Contains(name) || Others.Contains(name);

    private IEnumerable<JsonNode> Panels() =>
        _dashboard["panels"]!.AsArray().Where(panel => (string?)panel!["type"] != "row").Select(panel => panel!);

    private static IEnumerable<string> MetricsOf(string expression) => Metric().Matches(expression).Select(match => match.Value);

    [GeneratedRegex(@"\b(proxyswapper|apiserver|registry_proxy|kube|process|dotnet)_[a-z_]+\b(?!"")")]
    private static partial Regex Metric();

    [GeneratedRegex(
        @"\.Create(Counter|Histogram|UpDownCounter|Gauge|ObservableGauge|ObservableCounter|ObservableUpDownCounter)"
            + @"(?:<\w+>)?\(\s*""([a-z_]+)"""
    )]
    private static partial Regex Instrument();
}
