using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Kubernetes;

/// <summary>The program's errors for invalid kubeconfig files.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class KubeconfigErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Kubeconfig => _folder.PathOf("config");

    public void Dispose() => _folder.Dispose();

    [TestCase("clusters: [\n", ":")]
    [TestCase("- a\n- b\n", ":1:1: the document must be a mapping of keys to values")]
    [TestCase("\u007fELF\u0002\u0000\u0001{[", ":1:")]
    [TestCase("current-context: x\n", " has no context named 'x'.")]
    public async Task It_is_one_line_and_exit_code_2(string text, string message)
    {
        await File.WriteAllTextAsync(Kubeconfig, text);
        await ExpectAsync(message, ["disable", "--kubeconfig", Kubeconfig]);
        await ExpectAsync(message, ["enable", "--kubeconfig", Kubeconfig]);
    }

    [Test]
    public async Task The_webhook_does_not_start_with_an_invalid_kubeconfig()
    {
        using var certificates = new TestCertificates();
        certificates.WriteTo(_folder.PathOf("."));
        await File.WriteAllTextAsync(Kubeconfig, "current-context: x\n");
        await ExpectAsync(
            " has no context named 'x'.",
            ["serve"],
            ("PROXY_URL", "registry.example.com"),
            ("PROXYSWAPPER_TLS_CERT_PATH", _folder.PathOf("tls.crt")),
            ("PROXYSWAPPER_TLS_KEY_PATH", _folder.PathOf("tls.key")),
            ("KUBECONFIG", Kubeconfig)
        );
    }

    private async Task ExpectAsync(string message, string[] arguments, params (string Name, string? Value)[] environment)
    {
        var run = await ProxySwapperProgram.RunAsync(arguments, environment);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Output + run.Error);
        Assert.That(run.Error, Does.StartWith(Kubeconfig).And.Contain(message).And.EndWith("\n"));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain("\n"));
    }
}
