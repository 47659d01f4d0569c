using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Certificates;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Certificates;

/// <summary>Two replicas of the built program that issue their own certificate, as the webhook of a real kube-apiserver.</summary>
[TestFixture, NeedsServer]
internal sealed class SelfSignedCertificateTests
{
    private const string Pod = """{"metadata":{"generateName":"probe-"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""";

    private readonly List<ProxySwapperProcess> _replicas = [];
    private KubeApiServer _cluster = null!;
    private string _namespace = "";
    private string _secret = "";
    private string _webhook = "";

    [SetUp]
    public async Task StartAsync()
    {
        _cluster = await ControlPlane.GetAsync();
        _namespace = await _cluster.CreateNamespaceAsync();
        (_secret, _webhook) = ($"{_namespace}-tls", $"{_namespace}-webhook");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", _webhook, "--ignore-not-found");
        await _cluster.KubectlAsync("delete", "secret", _secret, "--ignore-not-found");
        foreach (var replica in _replicas)
            await replica.DisposeAsync();
        _replicas.Clear();
    }

    [Test]
    public async Task Two_replicas_that_start_at_once_show_one_certificate_and_a_lost_secret_comes_back()
    {
        await StartReplicasAsync();
        await UntilSwappedAsync();
        Assert.That(await ShownAsync(_replicas[0]), Is.EqualTo(await ShownAsync(_replicas[1])));

        var before = await CaBundleAsync();
        await _cluster.KubectlAsync("delete", "secret", _secret);
        await TestWait.UntilAsync(
            async () => (await _cluster.TryKubectlAsync("", "get", "secret", _secret)).ExitCode == 0,
            "the Secret again"
        );
        Assert.That(await CaBundleAsync(), Is.EqualTo(before));
        Assert.That(await IsSwappedAsync(), Is.True);
    }

    [Test]
    public async Task An_authority_is_replaced_while_pods_are_made_and_each_is_swapped()
    {
        var old = SetWhoseAuthorityIsDue();
        await _cluster.KubectlWithInputAsync(SecretOf(old), "create", "-f", "-");
        await StartReplicasAsync();
        await UntilSwappedAsync();
        var unswapped = 0;
        var pods = 0;
        await TestWait.UntilAsync(
            async () =>
            {
                pods++;
                if (!await IsSwappedAsync())
                    unswapped++;
                return await ShownAsync(_replicas[0]) is var shown
                    && shown != old.Certificate.Trim()
                    && shown == await ShownAsync(_replicas[1]);
            },
            "certificates of the new authority"
        );
        Assert.That(unswapped, Is.Zero, $"of {pods} Pods");
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(await CaBundleAsync())));
        Assert.That(authorities, Has.Count.EqualTo(2));
        Assert.That(await IsSwappedAsync(), Is.True);
    }

    [Test]
    public async Task A_certificate_that_is_due_is_renewed_by_the_same_authority()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(65));
        var due = new CertificateIssuer(["localhost"], time).Create();
        await _cluster.KubectlWithInputAsync(SecretOf(due), "create", "-f", "-");
        await StartReplicasAsync();
        await UntilSwappedAsync();
        await TestWait.UntilAsync(
            async () =>
                await ShownAsync(_replicas[0]) is var shown && shown != due.Certificate.Trim() && shown == await ShownAsync(_replicas[1]),
            "another certificate"
        );
        Assert.That(Encoding.UTF8.GetString(Convert.FromBase64String(await CaBundleAsync())).Trim(), Is.EqualTo(due.Authorities.Trim()));
        using var renewed = X509Certificate2.CreateFromPem(await ShownAsync(_replicas[0]));
        Assert.That(renewed.NotAfter.ToUniversalTime(), Is.GreaterThan(TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(60)));
        Assert.That(await IsSwappedAsync(), Is.True);
    }

    /// <summary>As after years: the certificate is valid for months, the authority for less than a year.</summary>
    private static CertificateSet SetWhoseAuthorityIsDue()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(3650 - 360));
        var issuer = new CertificateIssuer(["localhost"], time);
        var first = issuer.Create();
        time.SetUtcNow(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(20));
        return issuer.Renew(first, isPublished: true)!;
    }

    private string SecretOf(CertificateSet set) =>
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = "kubernetes.io/tls",
            ["metadata"] = new JsonObject { ["name"] = _secret, ["namespace"] = "default" },
            ["data"] = set.ToData(),
        }.ToJsonString();

    private async Task StartReplicasAsync()
    {
        var configuration = $$"""
            proxyUrl: registry.example.com
            populate: {policy: none}
            certificates: {secret: {{_secret}}, dnsNames: [localhost], webhook: {{_webhook}} }
            """;
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = _cluster.Kubeconfig };
        var starting = Enumerable
            .Range(0, 2)
            .Select(index =>
                ProxySwapperProcess.StartAsync(
                    configuration,
                    new Dictionary<string, string>(environment) { ["POD_NAME"] = $"replica-{index}" }
                )
            )
            .ToList();
        _replicas.AddRange(await Task.WhenAll(starting));
        // Without a caBundle: the program has to write it.
        var manifest = WebhookRegistration.Manifest(_replicas[0], _namespace, name: _webhook);
        await _cluster.KubectlWithInputAsync(
            string.Join('\n', manifest.Split('\n').Where(line => !line.Contains("caBundle", StringComparison.Ordinal))),
            "apply",
            "-f",
            "-"
        );
    }

    private Task UntilSwappedAsync() => TestWait.UntilAsync(IsSwappedAsync, "the webhook's first call");

    private async Task<bool> IsSwappedAsync()
    {
        var created = await _cluster.KubectlWithInputAsync(
            $$"""{"apiVersion":"v1","kind":"Pod",{{Pod[1..]}}""",
            "-n",
            _namespace,
            "create",
            "-f",
            "-",
            "--dry-run=server",
            "-o",
            "json"
        );
        return JsonNode.Parse(created)!["spec"]!["containers"]![0]!["image"]!.ToString() != "nginx";
    }

    private async Task<string> CaBundleAsync() =>
        await _cluster.KubectlAsync("get", "mutatingwebhookconfiguration", _webhook, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}");

    private static async Task<string> ShownAsync(ProxySwapperProcess replica)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("localhost", replica.Port);
        await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        using var certificate = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
        return certificate.ExportCertificatePem();
    }
}
