using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace ProxySwapper.Registry.Transport;

/// <summary>Metrics of registry requests. The first <see cref="MaxHosts"/> hosts are label values.</summary>
internal static class RegistryMetrics
{
    public const string MeterName = "ProxySwapper.Registry";
    private const int MaxHosts = 64;

    private static readonly Meter Meter = new(MeterName);
    private static readonly ConcurrentDictionary<RegistryName, string> Hosts = new();

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

    public static void Answered(RegistryName host, HttpMethod method, int? status) =>
        Requests.Add(
            1,
            new("host", Label(host)),
            new("method", method.Method),
            new("status", status is { } code ? string.Create(CultureInfo.InvariantCulture, $"{code / 100}xx") : "none")
        );

    public static void Retried(RegistryName host) => Retries.Add(1, new KeyValuePair<string, object?>("host", Label(host)));

    public static void Read(RegistryName host, int bytes) => Bytes.Add(bytes, new("direction", "read"), new("host", Label(host)));

    public static void Written(RegistryName host, int bytes) => Bytes.Add(bytes, new("direction", "written"), new("host", Label(host)));

    public static void RateLimit(RegistryName host, int remaining) =>
        Remaining.Record(remaining, new KeyValuePair<string, object?>("host", Label(host)));

    /// <summary>Only the hosts with a label of their own are kept.</summary>
    private static string Label(RegistryName host) =>
        Hosts.TryGetValue(host, out var label) ? label
        : Hosts.Count < MaxHosts ? Hosts.GetOrAdd(host, host.Text)
        : "other";
}
