using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Certificates;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Certificates;

/// <summary>The replacement of an authority while its publication fails, on an API server in this process.</summary>
[TestFixture]
internal sealed class SelfSignedCertificatesTests
{
    private const string Webhook = "webhook";
    private const string PatchWebhook = "patch mutatingwebhookconfigurations";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server, @namespace: "proxyswapper");
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task A_rejected_publication_keeps_the_certificate_of_the_old_authority()
    {
        await RegisterAsync();
        var (replica, old) = await WithAuthorityThatIsDueAsync();
        _server.Denied[PatchWebhook] = true;
        for (var check = 0; check < 20; check++)
        {
            Assert.That(() => replica.CheckAsync(default), Throws.InstanceOf<KubernetesException>());
            _time.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.That((await StoredAsync()).Certificate, Is.EqualTo(old.Certificate), "who restarts serves this one");

        _server.Denied.Clear();
        await ServesNewCertificateOnlyAfterPublicationAsync(replica, old);
    }

    [Test]
    public async Task A_webhook_that_is_not_registered_keeps_the_certificate_that_it_will_be_registered_with()
    {
        var (replica, old) = await WithAuthorityThatIsDueAsync();
        for (var check = 0; check < 20; check++)
        {
            Assert.That((await replica.CheckAsync(default))!.Certificate, Is.EqualTo(old.Certificate));
            _time.Advance(TimeSpan.FromSeconds(5));
        }
        await RegisterAsync();
        await ServesNewCertificateOnlyAfterPublicationAsync(replica, old);
    }

    [Test]
    public async Task A_certificate_that_expired_while_nothing_was_registered_is_replaced_all_the_same()
    {
        var (replica, old) = await WithAuthorityThatIsDueAsync();
        await replica.CheckAsync(default);
        _time.Advance(TimeSpan.FromDays(91));
        Assert.That((await replica.CheckAsync(default))!.Certificate, Is.Not.EqualTo(old.Certificate));
    }

    /// <summary>A replica with a new certificate, whose authority must be replaced within a year.</summary>
    private async Task<(SelfSignedCertificates Replica, CertificateSet Old)> WithAuthorityThatIsDueAsync()
    {
        var replica = Replica();
        await replica.CheckAsync(default);
        _time.Advance(TimeSpan.FromDays(3650 - 370));
        await replica.CheckAsync(default);
        _time.Advance(TimeSpan.FromDays(10));
        return (replica, await StoredAsync());
    }

    private async Task ServesNewCertificateOnlyAfterPublicationAsync(SelfSignedCertificates replica, CertificateSet old)
    {
        var checks = 0;
        while ((await replica.CheckAsync(default))!.Certificate == old.Certificate)
        {
            Assert.That(++checks, Is.LessThan(20), "never replaced");
            _time.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.That(checks, Is.AtLeast(6), "30 s after the publication at the earliest");
        using var certificate = (await StoredAsync()).ReadCertificate();
        var published = await _client.GetAsync(ResourceType.MutatingWebhookConfigurations.ObjectPath(null, Webhook), default);
        var bundle = new X509Certificate2Collection();
        bundle.ImportFromPem(
            Encoding.UTF8.GetString(Convert.FromBase64String((string)published!["webhooks"]![0]!["clientConfig"]!["caBundle"]!))
        );
        Assert.That(bundle[0].Subject, Is.EqualTo(certificate.Issuer));
    }

    private SelfSignedCertificates Replica() =>
        new(
            new CertificateSecret(_client, "tls", "replica", _time),
            new WebhookCaBundle(_client, Webhook),
            new CertificateIssuer(["proxyswapper.team.svc"], _time),
            _time
        );

    private async Task<CertificateSet> StoredAsync() =>
        CertificateSet.Read((await _client.GetAsync(ResourceType.Secrets.ObjectPath("proxyswapper", "tls"), default))!)!;

    private Task<JsonObject> RegisterAsync() =>
        _client.PostAsync(
            ResourceType.MutatingWebhookConfigurations.CollectionPath(null),
            new JsonObject
            {
                ["apiVersion"] = "admissionregistration.k8s.io/v1",
                ["kind"] = "MutatingWebhookConfiguration",
                ["metadata"] = new JsonObject { ["name"] = Webhook },
                ["webhooks"] = new JsonArray(new JsonObject { ["name"] = "swap.proxyswapper.io", ["clientConfig"] = new JsonObject() }),
            },
            default
        );
}
