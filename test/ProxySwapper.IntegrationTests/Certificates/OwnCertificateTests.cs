using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Certificates;

/// <summary>The recipe in the chart's README for a certificate of your own, run as written.</summary>
[TestFixture, NeedsServer]
internal sealed partial class OwnCertificateTests
{
    private const string Service = "proxyswapper.proxyswapper.svc";

    [Test]
    public async Task The_recipe_of_the_readme_makes_a_certificate_that_its_authority_trusts()
    {
        var recipe = Recipe().Match(await File.ReadAllTextAsync(SourceTree.PathOf("chart", "README.md"))).Groups["text"].Value;
        Assert.That(recipe, Does.Contain("openssl req -x509").And.Contain("kubectl").And.Contain("helm install"));
        // A separate server, since namespaces never terminate without controllers.
        await using var server = await KubeApiServer.StartAsync();
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.PathOf("chart"), SourceTree.PathOf("chart"));
        WriteProgram(folder, "kubectl", $"exec '{server.Kubectl}' --kubeconfig '{server.Kubeconfig}' \"$@\"");
        var helm = Environment.GetEnvironmentVariable("HELM") is { Length: > 0 } named ? named : "helm";
        // The objects of an installation; without a node it cannot run.
        WriteProgram(folder, "helm", $"shift; exec '{helm}' template \"$@\" > rendered.yaml");
        var (exitCode, output, error) = await TestProcess.RunAsync(
            "bash",
            ["-euo", "pipefail", "-c", $"cd '{folder.PathOf("")}'; PATH='{folder.PathOf("bin")}':$PATH\n{recipe}"]
        );
        Assert.That(exitCode, Is.Zero, output + error);

        var authority = await File.ReadAllTextAsync(folder.PathOf("ca.crt"));
        var objects = YamlObjects.Read(await File.ReadAllTextAsync(folder.PathOf("rendered.yaml")));
        var webhook = objects.Single(item => (string?)item["kind"] == "MutatingWebhookConfiguration")["webhooks"]![0]!["clientConfig"]!;
        Assert.That(Encoding.UTF8.GetString(Convert.FromBase64String((string)webhook["caBundle"]!)), Is.EqualTo(authority));
        Assert.That($"{webhook["service"]!["name"]}.{webhook["service"]!["namespace"]}.svc", Is.EqualTo(Service));
        var volumes = objects.Single(item => (string?)item["kind"] == "Deployment")["spec"]!["template"]!["spec"]!["volumes"]!.AsArray();
        var mounted = (string)volumes.Single(volume => (string?)volume!["name"] == "tls")!["secret"]!["secretName"]!;
        var secret = (await server.Client.GetAsync($"/api/v1/namespaces/proxyswapper/secrets/{mounted}", default))!["data"]!;

        // The program serves what kubelet would mount, and a client that only knows the authority trusts it for the Service's name.
        await using var process = await ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com\npopulate: {policy: none}");
        foreach (var file in new[] { "tls.key", "tls.crt" })
            await File.WriteAllBytesAsync(Path.Combine(process.Folder, file), Convert.FromBase64String((string)secret[file]!));
        await Testing.Time.TestWait.UntilAsync(() => IsTrustedAsync(process.Port, authority), "the certificate of the recipe");
    }

    private static async Task<bool> IsTrustedAsync(int port, string authority)
    {
        using var trusted = X509Certificate2.CreateFromPem(authority);
        using var client = new TcpClient();
        await client.ConnectAsync("localhost", port);
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = Service,
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        CustomTrustStore = { trusted },
                        RevocationMode = X509RevocationMode.NoCheck,
                    },
                }
            );
            return true;
        }
        catch (System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }

    private static void WriteProgram(TemporaryFolder folder, string name, string line)
    {
        Directory.CreateDirectory(folder.PathOf("bin"));
        folder.WriteScript(Path.Combine("bin", name), line);
    }

    [GeneratedRegex("^```sh\\n(?<text># An authority[^`]*)^```", RegexOptions.Multiline)]
    private static partial Regex Recipe();
}
