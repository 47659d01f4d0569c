using System.Diagnostics.Metrics;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>The metrics of registries, as an exporter sees them.</summary>
[TestFixture]
internal sealed class RegistryMetricsTests
{
    private static readonly AsyncLocal<Dictionary<string, long>?> Mine = new();

    [Test]
    public async Task Requests_retries_bytes_and_pulls_that_remain_are_counted()
    {
        await using var scene = await RegistryScene.StartAsync();
        using var listener = Listen();
        var counted = Mine.Value = [];
        var content = new byte[300_000];
        var blob = scene.Registry.AddBlob("a", content);
        scene.Faulty.Next(
            HttpMethod.Get,
            Kind.Ping,
            RegistryFaults.Unavailable,
            RegistryFaults.Dropped,
            RegistryFaults.Header("ratelimit-remaining", "76;w=21600")
        );
        await scene.Client.PingAsync(default);
        await scene.Client.HeadManifestAsync("a", "missing", default);
        await using (var stream = await scene.Client.OpenBlobAsync("a", blob, default))
            await stream.CopyToAsync(Stream.Null);
        await scene.Client.UploadBlobAsync("b", blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), null, default);
        Assert.That(
            counted,
            Is.EquivalentTo(
                new Dictionary<string, long>
                {
                    ["proxyswapper_registry_requests_total method=GET status=5xx"] = 1,
                    ["proxyswapper_registry_requests_total method=GET status=none"] = 1,
                    ["proxyswapper_registry_requests_total method=GET status=2xx"] = 2,
                    ["proxyswapper_registry_requests_total method=HEAD status=4xx"] = 1,
                    ["proxyswapper_registry_requests_total method=POST status=2xx"] = 1,
                    ["proxyswapper_registry_requests_total method=PUT status=2xx"] = 1,
                    ["proxyswapper_registry_retries_total"] = 2,
                    ["proxyswapper_registry_blob_bytes_total direction=read"] = 300_000,
                    ["proxyswapper_registry_blob_bytes_total direction=written"] = 300_000,
                    ["proxyswapper_registry_ratelimit_remaining"] = 76,
                }
            )
        );
    }

    [Test]
    public void Hosts_that_Pods_name_never_take_the_label_of_one_that_is_configured()
    {
        var hosts = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == RegistryMetrics.MeterName)
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (_, _, labels, _) =>
            {
                foreach (var (key, value) in labels)
                    if (key == "host")
                        lock (hosts)
                            hosts.Add((string)value!);
            }
        );
        listener.Start();
        for (var index = 0; index < 2 * RegistryMetrics.MaxUnnamedHosts; index++)
            RegistryMetrics.Responded(RegistryName.Parse($"r{index}.tenant.example"), HttpMethod.Get, 200);
        RegistryClients.NameInMetrics([RegistryName.Parse("configured.example")]);
        RegistryMetrics.Responded(RegistryName.Parse("configured.example"), HttpMethod.Get, 200);
        lock (hosts)
        {
            Assert.That(hosts, Does.Contain("configured.example").And.Contain("other"));
            Assert.That(hosts.Count(host => host.EndsWith(".tenant.example", StringComparison.Ordinal)), Is.LessThanOrEqualTo(32));
        }
    }

    [TestCase(200, "2xx")]
    [TestCase(599, "5xx")]
    [TestCase(999, "none")]
    [TestCase(null, "none")]
    public void A_status_is_one_of_few_classes(int? status, string expected)
    {
        using var listener = Listen();
        var counted = Mine.Value = [];
        RegistryMetrics.Responded(RegistryName.Parse("configured.example"), HttpMethod.Get, status);
        Assert.That(counted.Keys, Is.EqualTo([$"proxyswapper_registry_requests_total method=GET status={expected}"]));
    }

    /// <summary>Sums up the measurements of this test, without the host label, since later hosts share one.</summary>
    private static MeterListener Listen()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == RegistryMetrics.MeterName)
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) => Add(instrument, value, labels));
        listener.SetMeasurementEventCallback<int>((instrument, value, labels, _) => Add(instrument, value, labels));
        listener.Start();
        return listener;
    }

    private static void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (Mine.Value is not { } counted)
            return;
        var name = string.Join(
            ' ',
            labels.ToArray().Where(label => label.Key != "host").Select(label => $"{label.Key}={label.Value}").Prepend(instrument.Name)
        );
        lock (counted)
            counted[name] = counted.GetValueOrDefault(name) + value;
    }
}
