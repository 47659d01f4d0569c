using System.Net.Http.Headers;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.RegistryCache;

/// <summary>The chart's <c>caBundles</c> in the Pods of the registry cache: Distribution, with the variables that the chart sets.</summary>
[TestFixture, NeedsServer]
internal sealed class CacheAuthorityTests
{
    [TestCase(true)]
    [TestCase(false)]
    public async Task An_upstream_with_a_private_authority_is_only_cached_with_the_folders_of_the_chart(bool isMounted)
    {
        using var certificates = new TestCertificates();
        await using var upstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions { Certificate = certificates.IssueServer("localhost") }
        );
        TestImage.Create(6, 1, 1000).AddTo(upstream, "team/app", "1");
        var address = upstream.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        using var cache = await RenderedCache.CreateAsync("a", address, "first-day", "https");
        Assert.That(cache.Environment["SSL_CERT_DIR"], Does.StartWith("/etc/ssl/certs:"));
        if (isMounted)
            await File.WriteAllTextAsync(
                Path.Combine(cache.FolderOf("/etc/proxyswapper-authorities/1"), "ca.crt"),
                certificates.AuthorityPem
            );
        Assert.That(await FaultAsync(cache), isMounted ? Is.Empty : Does.Contain("certificate signed by unknown authority"));
    }

    /// <summary>Distribution's error when an image cannot be pulled through it; version 2.8 already logs it at startup.</summary>
    private static async Task<string> FaultAsync(RenderedCache cache)
    {
        try
        {
            using var distribution = await Distribution.StartAsync(cache);
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{cache.Port}") };
            client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/vnd.oci.image.manifest.v1+json"));
            using var response = await client.GetAsync("/v2/team/app/manifests/1");
            return response.IsSuccessStatusCode ? "" : $"{response.StatusCode} {distribution.Output}";
        }
        catch (InvalidOperationException ended)
        {
            return ended.Message;
        }
    }
}
