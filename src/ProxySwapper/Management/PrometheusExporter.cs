using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using ProxySwapper.Registry.Distribution;

namespace ProxySwapper.Management;

/// <summary>
/// Exports all instruments of meters named <c>ProxySwapper…</c> in the text format of Prometheus
/// (<see href="https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format"/>). Each instrument has the same label names
/// at each measurement.
/// </summary>
internal sealed class PrometheusExporter : IManagementPage, IDisposable
{
    private const string MeterPrefix = "ProxySwapper";

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, PrometheusFamily> _families = new();

    public string Path => "/metrics";

    public bool IsOpen => true;

    /// <param name="meters">The meters of this host.</param>
    /// <param name="_">Metrics that nothing else creates.</param>
    /// <param name="hosts">Registries whose counters start at zero, or null for none.</param>
    public PrometheusExporter(IMeterFactory meters, ProcessMetrics _, MetricHosts? hosts = null)
    {
        RegistryClients.PublishMetrics();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // The meters of this host, and those without a host.
            if (instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal) && (instrument.Meter.Scope ?? meters) == meters)
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, one => PrometheusFamily.Create(one, hosts)));
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((PrometheusFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => ((PrometheusFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((PrometheusFamily)family!).Record(value, tags));
        _listener.Start();
    }

    public async Task RespondAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(Render());
    }

    public string Render()
    {
        lock (_gate)
        {
            foreach (var (instrument, family) in _families)
                if (instrument.IsObservable)
                    family.Forget();
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
                family.Render(text);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    internal static string Format(double value) =>
        value switch
        {
            double.PositiveInfinity => "+Inf",
            double.NegativeInfinity => "-Inf",
            _ => value.ToString("R", CultureInfo.InvariantCulture),
        };
}
