using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Metrics of registry requests. The hosts that were named in advance are label values, and the first <see cref="MaxUnnamedHosts"/> of the
/// others: Pods can name any number of hosts.
/// </summary>
internal static class RegistryMetrics
{
    public const string MeterName = "ProxySwapper.Registry";

    /// <summary>Each has up to 10 series for its requests, if it is only read from.</summary>
    public const int MaxUnnamedHosts = 32;

    private static readonly Meter Meter = new(MeterName);
    private static readonly ConcurrentDictionary<RegistryName, string> Named = new();
    private static readonly ConcurrentDictionary<RegistryName, string> Unnamed = new();

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "proxyswapper_registry_requests_total",
        unit: null,
        description: "Requests to registries by host, method and class of status (2xx…5xx, or none without a response).",
        // An exporter knows the hosts.
        tags:
        [
            new("host", null),
            new("method", new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }),
            new("status", new[] { "2xx", "3xx", "4xx", "5xx", "none" }),
        ]
    );

    private static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "proxyswapper_registry_retries_total",
        unit: null,
        description: "Retries of requests to registries, by host.",
        tags: [new("host", null)]
    );

    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "proxyswapper_registry_blob_bytes_total",
        unit: null,
        description: "Bytes of blobs by host and direction (read, written).",
        tags: [new("direction", new[] { "read", "written" }), new("host", null)]
    );

    private static readonly Gauge<int> Remaining = Meter.CreateGauge<int>(
        "proxyswapper_registry_ratelimit_remaining",
        description: "Pulls that a registry still grants, as it last reported, such as ratelimit-remaining of Docker Hub."
    );

    /// <summary>Creates the instruments.</summary>
    public static void Publish() => RuntimeHelpers.RunClassConstructor(typeof(RegistryMetrics).TypeHandle);

    /// <summary>Gives hosts a label of their own, however many others there are.</summary>
    public static void Name(IEnumerable<RegistryName> hosts)
    {
        foreach (var host in hosts)
            Named.TryAdd(host, host.Text);
    }

    public static void Responded(RegistryName host, HttpMethod method, int? status) =>
        Requests.Add(
            1,
            new("host", Label(host)),
            new("method", method.Method),
            // There are no other classes, but a registry can send any number.
            new("status", status is >= 200 and < 600 ? string.Create(CultureInfo.InvariantCulture, $"{status / 100}xx") : "none")
        );

    public static void Retried(RegistryName host) => Retries.Add(1, new KeyValuePair<string, object?>("host", Label(host)));

    public static void Read(RegistryName host, int bytes) => Bytes.Add(bytes, new("direction", "read"), new("host", Label(host)));

    public static void Written(RegistryName host, int bytes) => Bytes.Add(bytes, new("direction", "written"), new("host", Label(host)));

    public static void RateLimit(RegistryName host, int remaining) =>
        Remaining.Record(remaining, new KeyValuePair<string, object?>("host", Label(host)));

    /// <summary>Only the hosts with a label of their own are kept.</summary>
    private static string Label(RegistryName host) =>
        Named.TryGetValue(host, out var label) || Unnamed.TryGetValue(host, out label) ? label
        : Unnamed.Count < MaxUnnamedHosts ? Unnamed.GetOrAdd(host, host.Text)
        : "other";
}
