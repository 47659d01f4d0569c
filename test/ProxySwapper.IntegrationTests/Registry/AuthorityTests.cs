using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Registry;

/// <summary>The chart's <c>caBundles</c>: folders with certificate authorities in <c>SSL_CERT_DIR</c>, as set by the chart.</summary>
[TestFixture]
internal sealed class AuthorityTests
{
    [Test]
    public async Task A_registry_of_a_private_authority_is_trusted_by_the_folders_of_the_chart_and_not_without()
    {
        using var certificates = new TestCertificates();
        await using var registry = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions { Certificate = certificates.IssueServer("localhost") }
        );
        TestImage.Create(5, 1, 1000).AddTo(registry, "team/app", "1");
        using var empty = new TemporaryFolder();
        using var folder = new TemporaryFolder();
        folder.Write("ca.crt", certificates.AuthorityPem);
        var address = registry.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        string[] arguments = ["copy", $"{address}/team/app:1", $"{address}/team/copy:1"];
        var without = await ProxySwapperProgram.RunAsync(arguments, ("SSL_CERT_DIR", "/etc/ssl/certs"));
        Assert.That(without.ExitCode, Is.EqualTo(1), without.Output + without.Error);
        Assert.That(without.Error + without.Output, Does.Contain("certificate").IgnoreCase);
        var path = string.Join(':', "/etc/ssl/certs", empty.PathOf(""), folder.PathOf(""));
        var with = await ProxySwapperProgram.RunAsync(arguments, ("SSL_CERT_DIR", path));
        Assert.That(with.ExitCode, Is.Zero, with.Output + with.Error);
    }
}
