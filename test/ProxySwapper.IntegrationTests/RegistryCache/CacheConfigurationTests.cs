using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>
/// The chart's configuration, run by Distribution: version 3 if it is on the PATH as <c>registry</c>, otherwise Debian's 2.8.
/// </summary>
[TestFixture, NeedsServer]
internal sealed class CacheConfigurationTests
{
    [Test]
    public async Task Distribution_caches_an_upstream_for_clients_with_the_password()
    {
        await using var upstream = await InMemoryRegistry.StartAsync();
        var content = (
            "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
            + "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"CONFIG\",\"size\":2},"
            + "\"layers\":[]}"
        ).Replace("CONFIG", upstream.AddBlob("team/image", "{}"u8.ToArray()).Digest.ToString(), StringComparison.Ordinal);
        upstream.AddManifest("team/image", "application/vnd.oci.image.manifest.v1+json", Encoding.UTF8.GetBytes(content), "1");
        using var cache = await RenderedCache.CreateAsync("kubernetes", upstream.Address);
        using var distribution = await Distribution.StartAsync(cache);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{cache.Port}") };
        client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.oci.image.manifest.v1+json");

        using (var anonymous = await client.GetAsync("/v2/team/image/manifests/1"))
            Assert.That(anonymous.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", PullSecretAuthorization());
        Assert.That(await client.GetStringAsync("/v2/team/image/manifests/1"), Is.EqualTo(content), distribution.Output);

        using var metrics = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{cache.MetricsPort}") };
        Assert.That(await metrics.GetStringAsync("/metrics"), Does.Contain("registry_"));
        using (var health = await metrics.GetAsync("/debug/health"))
            Assert.That(health.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        client.DefaultRequestHeaders.Authorization = null;
        using (var live = await client.GetAsync("/"))
            Assert.That(live.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    /// <summary>The login that kubelet sends with the chart's pull Secret.</summary>
    private static string PullSecretAuthorization()
    {
        var secret = HelmChart
            .ObjectsAsync(HelmChart.ValueSet("cache-node-port"))
            .GetAwaiter()
            .GetResult()
            .First(item => (string?)item["type"] == "kubernetes.io/dockerconfigjson");
        var auths = YamlObjects.Read(Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![".dockerconfigjson"]!)))[0][
            "auths"
        ]!;
        Assert.That(
            auths.AsObject().Select(pair => pair.Key),
            Is.EqualTo(new[] { "localhost:30025", "localhost:30026", "localhost:30027" })
        );
        return (string)auths["localhost:30027"]!["auth"]!;
    }
}
