using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Management;

[TestFixture]
internal sealed class PrometheusExporterTests
{
    private ServiceProvider _services = null!;
    private PrometheusExporter _exporter = null!;
    private Meter _meter = null!;

    [SetUp]
    public void Start()
    {
        _services = new ServiceCollection()
            .AddMetrics()
            .AddSingleton<ProcessMetrics>()
            .AddSingleton<PrometheusExporter>()
            .BuildServiceProvider();
        _exporter = _services.GetRequiredService<PrometheusExporter>();
        _meter = _services.GetRequiredService<IMeterFactory>().Create("ProxySwapper");
    }

    [TearDown]
    public void Stop() => _services.Dispose();

    [Test]
    public void Counters_with_declared_labels_exist_from_the_start()
    {
        _meter.CreateCounter<long>("plain_total", null, null, tags: []);
        _meter
            .CreateCounter<long>("results_total", null, null, tags: [new("result", new[] { "good", "bad" })])
            .Add(2, new KeyValuePair<string, object?>("result", "bad"));
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That(
            (values["plain_total"], values["""results_total{result="good"}"""], values["""results_total{result="bad"}"""]),
            Is.EqualTo((0, 0, 2))
        );
    }

    [Test]
    public void Histograms_with_declared_labels_exist_from_the_start_without_having_counted()
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [1] };
        _meter.CreateHistogram("plain_seconds", null, null, [], advice);
        var results = _meter.CreateHistogram("by_seconds", null, null, [new("result", new[] { "good", "bad" })], advice);
        results.Record(2, new KeyValuePair<string, object?>("result", "bad"));
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That((values["plain_seconds_count"], values["""plain_seconds_bucket{le="+Inf"}"""]), Is.EqualTo((0, 0)));
        Assert.That(
            (values["""by_seconds_count{result="good"}"""], values["""by_seconds_bucket{result="good",le="1"}"""]),
            Is.EqualTo((0, 0))
        );
        Assert.That((values["""by_seconds_count{result="bad"}"""], values["""by_seconds_sum{result="bad"}"""]), Is.EqualTo((1, 2)));
    }

    [Test]
    public void A_series_that_starts_at_zero_is_the_one_that_counts_whatever_the_order_of_its_labels()
    {
        var counter = _meter.CreateCounter<long>("c_total", null, null, tags: [new("b", new[] { "1" }), new("a", new[] { "2" })]);
        counter.Add(3, new KeyValuePair<string, object?>("b", "1"), new KeyValuePair<string, object?>("a", "2"));
        counter.Add(4, new KeyValuePair<string, object?>("a", "2"), new KeyValuePair<string, object?>("b", "1"));
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That(
            values.Where(pair => pair.Key.StartsWith("c_total", StringComparison.Ordinal)),
            Is.EqualTo(new Dictionary<string, double> { ["""c_total{a="2",b="1"}"""] = 7 })
        );
    }

    [Test]
    public void Counters_of_registries_exist_from_the_start_for_the_hosts_that_are_configured()
    {
        using var services = new ServiceCollection()
            .AddMetrics()
            .AddSingleton<ProcessMetrics>()
            .AddSingleton<PrometheusExporter>()
            .AddSingleton(
                new MetricHosts([RegistryName.Parse("r.example"), RegistryName.Parse("q.example"), RegistryName.Parse("r.example")])
            )
            .BuildServiceProvider();
        var values = PrometheusText.Parse(services.GetRequiredService<PrometheusExporter>().Render());
        foreach (var host in (string[])["r.example", "q.example", "other"])
        {
            foreach (var method in (string[])["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
            foreach (var status in (string[])["2xx", "3xx", "4xx", "5xx", "none"])
                Assert.That(
                    values,
                    Does.ContainKey($$"""proxyswapper_registry_requests_total{host="{{host}}",method="{{method}}",status="{{status}}"}""")
                );
            Assert.That(values, Does.ContainKey($$"""proxyswapper_registry_retries_total{host="{{host}}"}"""));
            foreach (var direction in (string[])["read", "written"])
                Assert.That(
                    values,
                    Does.ContainKey($$"""proxyswapper_registry_blob_bytes_total{direction="{{direction}}",host="{{host}}"}""")
                );
        }
        Assert.That(
            values.Keys.Where(series => series.StartsWith("proxyswapper_registry_retries_total", StringComparison.Ordinal)),
            Has.None.Contains("*")
        );
        // Nobody queries these; "other" is that of all tests of this process.
        Assert.That(
            values.Where(series => series.Key.Contains(".example\"", StringComparison.Ordinal)).Select(series => series.Value),
            Has.Exactly(2 * (6 * 5 + 1 + 2)).Items.And.All.Zero
        );
    }

    [TestCase("registry", 120)]
    [TestCase("host", 120)]
    public void Registries_beyond_the_limit_of_series_are_counted_as_other(string label, int registries)
    {
        string[] names = [.. Enumerable.Range(0, registries).Select(index => $"r{index:000}.example"), "other"];
        string[] results = [.. Enumerable.Range(0, 15).Select(index => $"result{index:00}")];
        var counter = _meter.CreateCounter<long>("images_total", null, null, tags: [new(label, names), new("result", results)]);
        foreach (var name in names.Append("reloaded.example"))
        foreach (var result in results.Append("new"))
            counter.Add(1, new KeyValuePair<string, object?>(label, name), new KeyValuePair<string, object?>("result", result));
        var values = PrometheusText
            .Parse(_exporter.Render())
            .Where(series => series.Key.StartsWith("images_total", StringComparison.Ordinal))
            .ToDictionary();
        Assert.That(values.Values.Sum(), Is.EqualTo((registries + 2) * 16), "nothing is lost");
        Assert.That(values, Has.Count.LessThanOrEqualTo(1600));
        Assert.That(values[$$"""images_total{{{label}}="r000.example",result="result00"}"""], Is.EqualTo(1));
        foreach (var result in results.Append("new"))
            Assert.That(values[$$"""images_total{{{label}}="other",result="{{result}}"}"""], Is.GreaterThan(1));
    }

    [Test]
    public void Every_kind_of_instrument_is_exported_with_its_type()
    {
        _meter.CreateCounter<long>("a_total").Add(2);
        _meter.CreateUpDownCounter<int>("b").Add(-3);
        _meter.CreateGauge<double>("c").Record(1.5);
        _meter.CreateObservableGauge("d", () => 7L);
        _meter.CreateObservableCounter("e_total", () => 8.25);
        _meter.CreateObservableUpDownCounter("f", () => 9);
        var text = _exporter.Render();
        var values = PrometheusText.Parse(text);
        Assert.That(
            new[] { "a_total", "b", "c", "d", "e_total", "f" }.Select(name => values[name]),
            Is.EqualTo(new[] { 2, -3, 1.5, 7, 8.25, 9 })
        );
        Assert.That(
            text,
            Does.Contain("# TYPE a_total counter\n")
                .And.Contain("# TYPE b gauge\n")
                .And.Contain("# TYPE c gauge\n")
                .And.Contain("# TYPE d gauge\n")
                .And.Contain("# TYPE e_total counter\n")
                .And.Contain("# TYPE f gauge\n")
        );
    }

    [Test]
    public void A_histogram_has_the_advised_buckets_with_inclusive_upper_bounds()
    {
        var histogram = _meter.CreateHistogram("h_seconds", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (var value in new[] { 0.05, 0.1, 0.5, 7 })
            histogram.Record(value);
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That(
            new[]
            {
                """h_seconds_bucket{le="0.1"}""",
                """h_seconds_bucket{le="1"}""",
                """h_seconds_bucket{le="+Inf"}""",
                "h_seconds_count",
                "h_seconds_sum",
            }.Select(name => values[name]),
            Is.EqualTo(new[] { 2, 3, 4, 4, 7.65 }).Within(1e-9)
        );
    }

    [Test]
    public void Labels_and_help_are_escaped()
    {
        _meter
            .CreateCounter<long>("odd_total", description: "a \\ and\na line")
            .Add(1, new KeyValuePair<string, object?>("label", "say \"no\"\\\n"), new KeyValuePair<string, object?>("other", null));
        var text = _exporter.Render();
        Assert.That(PrometheusText.Parse(text)["""odd_total{label="say \"no\"\\\n",other=""}"""], Is.EqualTo(1));
        Assert.That(text, Does.Contain("# HELP odd_total a \\\\ and\\na line\n"));
    }

    [Test]
    public void Series_that_are_no_longer_observed_disappear()
    {
        List<Measurement<long>> seen =
        [
            new(1, new KeyValuePair<string, object?>("host", "a")),
            new(2, new KeyValuePair<string, object?>("host", "b")),
        ];
        _meter.CreateObservableGauge("hosts", () => seen);
        Assert.That(PrometheusText.Parse(_exporter.Render()), Does.ContainKey("""hosts{host="a"}"""));
        seen = [new(3, new KeyValuePair<string, object?>("host", "b"))];
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That((values["""hosts{host="b"}"""], values.ContainsKey("""hosts{host="a"}""")), Is.EqualTo((3.0, false)));
    }

    [Test]
    public void Unbounded_label_values_take_bounded_memory()
    {
        var counter = _meter.CreateCounter<long>("many_total");
        for (var number = 0; number < 5000; number++)
            counter.Add(1, new KeyValuePair<string, object?>("number", number));
        Assert.That(
            PrometheusText.Parse(_exporter.Render()).Keys.Count(name => name.StartsWith("many_total", StringComparison.Ordinal)),
            Is.EqualTo(1500)
        );
    }

    [Test]
    public void Meters_of_others_and_of_other_hosts_in_this_process_are_not_exported()
    {
        using var other = new ServiceCollection().AddMetrics().BuildServiceProvider();
        other.GetRequiredService<IMeterFactory>().Create("ProxySwapper").CreateCounter<long>("theirs_total").Add(1);
        _services.GetRequiredService<IMeterFactory>().Create("Other").CreateCounter<long>("others_total").Add(1);
        Assert.That(_exporter.Render(), Does.Not.Contain("theirs_total").And.Not.Contain("others_total"));
    }

    [Test]
    public void The_process_is_described_under_the_names_that_dashboards_know()
    {
        var values = PrometheusText.Parse(_exporter.Render());
        Assert.That(
            new[]
            {
                "process_resident_memory_bytes",
                "process_start_time_seconds",
                "process_cpu_seconds_total",
                """dotnet_gc_collections_total{generation="0"}""",
            },
            Is.SubsetOf(values.Keys)
        );
    }
}
