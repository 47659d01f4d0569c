using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Certificates;
using ProxySwapper.IntegrationTests.Swap;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Certificates;

/// <summary>Two replicas of the built program that issue their own certificate, as the webhook of a real kube-apiserver.</summary>
internal sealed class SelfSignedScene : IAsyncDisposable
{
    private SelfSignedScene(KubeApiServer cluster, string @namespace) =>
        (Cluster, Namespace, Secret, Webhook) = (cluster, @namespace, $"{@namespace}-tls", $"{@namespace}-webhook");

    public KubeApiServer Cluster { get; }

    /// <summary>The namespace whose Pods are swapped.</summary>
    public string Namespace { get; }

    /// <summary>The name of the certificate's Secret.</summary>
    public string Secret { get; }

    /// <summary>The name of the webhook configuration.</summary>
    public string Webhook { get; }

    public List<ProxySwapperProcess> Replicas { get; } = [];

    public static async Task<SelfSignedScene> CreateAsync()
    {
        var cluster = await ControlPlane.GetAsync();
        return new SelfSignedScene(cluster, await cluster.CreateNamespaceAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.KubectlAsync("delete", "mutatingwebhookconfiguration", Webhook, "--ignore-not-found");
        await Cluster.KubectlAsync("delete", "secret", Secret, "--ignore-not-found");
        foreach (var replica in Replicas)
            await replica.DisposeAsync();
    }

    /// <summary>Creates or replaces the Secret.</summary>
    public Task StoreAsync(CertificateSet set) => Cluster.KubectlWithInputAsync(SecretOf(set), "apply", "-f", "-");

    /// <summary>Starts both replicas at once, registers the webhook without a caBundle, and waits until it is called.</summary>
    public async Task StartReplicasAsync()
    {
        var configuration = $$"""
            proxyUrl: registry.example.com
            populate: {policy: none}
            certificates: {secret: {{Secret}}, dnsNames: [localhost], webhook: {{Webhook}} }
            """;
        var starting = Enumerable
            .Range(0, 2)
            .Select(index =>
                ProxySwapperProcess.StartAsync(
                    configuration,
                    new Dictionary<string, string> { ["KUBECONFIG"] = Cluster.Kubeconfig, ["POD_NAME"] = $"replica-{index}" }
                )
            )
            .ToList();
        Replicas.AddRange(await Task.WhenAll(starting));
        var manifest = WebhookRegistration.Manifest(Replicas[0], Namespace, name: Webhook);
        await Cluster.KubectlWithInputAsync(
            string.Join('\n', manifest.Split('\n').Where(line => !line.Contains("caBundle", StringComparison.Ordinal))),
            "apply",
            "-f",
            "-"
        );
        await TestWait.UntilAsync(async () => await IsSwappedAsync(), "the webhook's first call");
    }

    /// <summary>Whether the image of a Pod is rewritten.</summary>
    /// <param name="isDryRun">False to create the Pod and leave it there.</param>
    public async Task<bool> IsSwappedAsync(bool isDryRun = true)
    {
        const string Pod = """{"metadata":{"generateName":"probe-"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""";
        var created = await Cluster.KubectlWithInputAsync(
            $$"""{"apiVersion":"v1","kind":"Pod",{{Pod[1..]}}""",
            "-n",
            Namespace,
            "create",
            "-f",
            "-",
            isDryRun ? "--dry-run=server" : "--dry-run=none",
            "-o",
            "json"
        );
        return JsonNode.Parse(created)!["spec"]!["containers"]![0]!["image"]!.ToString() != "nginx";
    }

    /// <summary>The images of the Pods that were created.</summary>
    public async Task<string[]> ImagesAsync() =>
        (
            await Cluster.KubectlAsync(
                "-n",
                Namespace,
                "get",
                "pods",
                "-o",
                "jsonpath={range .items[*]}{.spec.containers[0].image}{\"\\n\"}{end}"
            )
        ).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The authorities that API servers know, PEM.</summary>
    public async Task<string> AuthoritiesAsync() =>
        Encoding.UTF8.GetString(
            Convert.FromBase64String(
                await Cluster.KubectlAsync(
                    "get",
                    "mutatingwebhookconfiguration",
                    Webhook,
                    "-o",
                    "jsonpath={.webhooks[0].clientConfig.caBundle}"
                )
            )
        );

    /// <summary>The certificate that a new connection is shown, PEM.</summary>
    public static async Task<string> ShownAsync(ProxySwapperProcess replica)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("localhost", replica.Port);
        await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        using var certificate = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
        return certificate.ExportCertificatePem();
    }

    /// <summary>Whether both replicas serve the same certificate, other than these.</summary>
    public async Task<bool> HaveAnotherCertificateAsync(params CertificateSet[] before) =>
        await ShownAsync(Replicas[0]) is var shown
        && before.All(set => set.Certificate.Trim() != shown)
        && shown == await ShownAsync(Replicas[1]);

    /// <summary>Whether an API server that connects now, with any authorities that it may have read, accepts the certificate.</summary>
    public async Task<bool> IsTrustedAsync(ProxySwapperProcess replica)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(await AuthoritiesAsync());
        using var certificate = X509Certificate2.CreateFromPem(await ShownAsync(replica));
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        return chain.Build(certificate) && certificate.MatchesHostname("localhost");
    }

    private string SecretOf(CertificateSet set) =>
        new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["type"] = "kubernetes.io/tls",
            ["metadata"] = new JsonObject { ["name"] = Secret, ["namespace"] = "default" },
            ["data"] = set.ToData(),
        }.ToJsonString();
}
