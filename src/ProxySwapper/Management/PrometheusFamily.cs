using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace ProxySwapper.Management;

/// <summary>One instrument with all its series.</summary>
internal sealed class PrometheusFamily
{
    /// <summary>
    /// The most series of an instrument, so that many registries do not cost memory: more count for <see cref="MetricHosts.Other"/>.
    /// </summary>
    private const int MaximumSeries = 1500;

    /// <summary>The most series beside these, for the other labels of <see cref="MetricHosts.Other"/>.</summary>
    private const int MaximumOthers = 100;

    /// <summary>The label of counters by the registry of an image.</summary>
    private const string RegistryLabel = "registry";

    private static readonly double[] DefaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _gate = new();
    private readonly Dictionary<LabelValues, Series> _series = [];
    private readonly string _type;
    private readonly string _help;
    private readonly bool _isSum;
    private readonly double[]? _buckets;

    private PrometheusFamily(string name, string type, string help, bool isSum, double[]? buckets) =>
        (Name, _type, _help, _isSum, _buckets) = (name, type, help, isSum, buckets);

    public string Name { get; }

    /// <summary>Creates it with the series that are known.</summary>
    public static PrometheusFamily Create(Instrument instrument, MetricHosts? hosts)
    {
        var kind = instrument.GetType().Name;
        var type = kind switch
        {
            _ when kind.StartsWith("Histogram", StringComparison.Ordinal) => "histogram",
            _ when kind.Contains("UpDown", StringComparison.Ordinal) || kind.Contains("Gauge", StringComparison.Ordinal) => "gauge",
            _ => "counter",
        };
        // Observable instruments report their value, the others an increment.
        var isSum = !instrument.IsObservable && !kind.StartsWith("Gauge", StringComparison.Ordinal);
        var buckets =
            type == "histogram" ? (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? DefaultBuckets : null;
        var family = new PrometheusFamily(instrument.Name, type, instrument.Description ?? instrument.Name, isSum, buckets);
        if (isSum && instrument.Tags is { } labels)
            family.StartAtZero([.. labels], hosts);
        return family;
    }

    /// <summary>
    /// Creates a series for each combination of the declared values of the instrument's labels, or the only one of an instrument without
    /// labels: a rate needs to see a counter, or a histogram, before its first increment.
    /// </summary>
    private void StartAtZero(KeyValuePair<string, object?>[] labels, MetricHosts? hosts)
    {
        IEnumerable<KeyValuePair<string, object?>[]> series =
        [
            [],
        ];
        foreach (var (name, value) in labels)
            if ((value as string[] ?? (name == MetricHosts.Label ? hosts?.Names : null)) is { } values)
                series = series.SelectMany(start => values.Select(text => (KeyValuePair<string, object?>[])[.. start, new(name, text)]));
            else
                return;
        foreach (var tags in series)
            Find(tags);
    }

    /// <summary>
    /// Adds or sets a value. Labels are sorted, as those that an instrument declares are by the runtime: in another order they would be a
    /// second series with the same labels. Callers that name them in order allocate nothing.
    /// </summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
            Find(tags)?.Record(value, _isSum, _buckets);
    }

    /// <summary>
    /// The series with these labels, which is created if it is new; if there are too many, that of other registries; null if it cannot
    /// have any, which is a bug.
    /// </summary>
    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags, int maximum = MaximumSeries)
    {
        for (var index = 1; index < tags.Length; index++)
            if (string.CompareOrdinal(tags[index - 1].Key, tags[index].Key) > 0)
            {
                KeyValuePair<string, object?>[] sorted = [.. tags];
                Array.Sort(sorted, (one, other) => string.CompareOrdinal(one.Key, other.Key));
                tags = sorted;
                break;
            }
        var key = new LabelValues(
            tags.Length > 0 ? tags[0].Value : null,
            tags.Length > 1 ? tags[1].Value : null,
            tags.Length > 2 ? tags[2].Value : null
        );
        if (_series.TryGetValue(key, out var series))
            return series;
        if (_series.Count < maximum)
            return _series[key] = new Series(LabelsOf(tags), _buckets);
        return maximum == MaximumSeries && OfOthers(tags) is { } others ? Find(others, MaximumSeries + MaximumOthers) : null;
    }

    /// <summary>The same labels for the registries that have no series of their own; null if there is no label of registries.</summary>
    private static KeyValuePair<string, object?>[]? OfOthers(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        KeyValuePair<string, object?>[] others = [.. tags];
        var index = Array.FindIndex(others, tag => tag.Key is RegistryLabel or MetricHosts.Label);
        if (index < 0)
            return null;
        others[index] = new(others[index].Key, MetricHosts.Other);
        return others;
    }

    /// <summary>Called before observing: series that are no longer observed disappear.</summary>
    public void Forget()
    {
        lock (_gate)
            _series.Clear();
    }

    public void Render(StringBuilder text)
    {
        lock (_gate)
        {
            if (_series.Count == 0)
                return;
            text.Append("# HELP ")
                .Append(Name)
                .Append(' ')
                .Append(_help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal))
                .Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_type).Append('\n');
            foreach (var series in _series.Values)
                Render(text, series);
        }
    }

    private void Render(StringBuilder text, Series series)
    {
        if (_buckets is null)
        {
            Line(text, Name, series.Labels, series.Value);
            return;
        }
        var cumulated = 0L;
        for (var index = 0; index <= _buckets.Length; index++)
        {
            cumulated += series.Counts[index];
            var bound = PrometheusExporter.Format(index < _buckets.Length ? _buckets[index] : double.PositiveInfinity);
            Line(text, $"{Name}_bucket", $"{series.Labels}{(series.Labels.Length > 0 ? "," : "")}le=\"{bound}\"", cumulated);
        }
        Line(text, $"{Name}_sum", series.Labels, series.Value);
        Line(text, $"{Name}_count", series.Labels, cumulated);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(PrometheusExporter.Format(value)).Append('\n');
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (labels.Length > 0)
                labels.Append(',');
            labels.Append(name).Append("=\"").Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('"');
        }
        return labels.ToString();
    }

    private static string Escape(string value) =>
        value
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>
    /// Hashes label values. They are few, our own, and mostly the same objects, so a hash of length and ends is enough: this runs several
    /// times per review.
    /// </summary>
    private readonly struct LabelValues(object? first, object? second, object? third) : IEquatable<LabelValues>
    {
        private readonly object? _first = first,
            _second = second,
            _third = third;

        public bool Equals(LabelValues other) =>
            AreEqual(_first, other._first) && AreEqual(_second, other._second) && AreEqual(_third, other._third);

        public override bool Equals(object? obj) => obj is LabelValues other && Equals(other);

        public override int GetHashCode() => (HashOf(_first) * 31 + HashOf(_second)) * 31 + HashOf(_third);

        private static bool AreEqual(object? one, object? other) => ReferenceEquals(one, other) || Equals(one, other);

        private static int HashOf(object? value) =>
            value switch
            {
                null => 0,
                string { Length: > 0 } text => (text.Length << 16) + (text[0] << 8) + text[^1],
                _ => value.GetHashCode(),
            };
    }

    private sealed class Series(string labels, double[]? buckets)
    {
        public string Labels { get; } = labels;

        public double Value { get; private set; }

        public long[] Counts { get; } = buckets is null ? [] : new long[buckets.Length + 1];

        public void Record(double value, bool isSum, double[]? bounds)
        {
            Value = isSum ? Value + value : value;
            if (bounds is null)
                return;
            var index = Array.BinarySearch(bounds, value);
            Counts[index < 0 ? ~index : index]++;
        }
    }
}
