using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Certificates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Certificates;

/// <summary>The certificate that the program issues: first installation, loss, renewal and replacement of its authority.</summary>
[TestFixture, NeedsServer]
internal sealed class SelfSignedCertificateTests
{
    private SelfSignedScene _scene = null!;

    [SetUp]
    public async Task StartAsync() => _scene = await SelfSignedScene.CreateAsync();

    [TearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [Test]
    public async Task Two_replicas_that_start_at_once_show_one_certificate_and_a_lost_secret_comes_back()
    {
        await _scene.StartReplicasAsync();
        Assert.That(await SelfSignedScene.ShownAsync(_scene.Replicas[0]), Is.EqualTo(await SelfSignedScene.ShownAsync(_scene.Replicas[1])));

        var before = await _scene.AuthoritiesAsync();
        await _scene.Cluster.KubectlAsync("delete", "secret", _scene.Secret);
        await TestWait.UntilAsync(
            async () => (await _scene.Cluster.TryKubectlAsync("", "get", "secret", _scene.Secret)).ExitCode == 0,
            "the Secret again"
        );
        Assert.That(await _scene.AuthoritiesAsync(), Is.EqualTo(before));
        Assert.That(await _scene.IsSwappedAsync(), Is.True);
    }

    [Test]
    public async Task An_authority_is_replaced_while_pods_are_made_and_each_is_swapped()
    {
        var old = SetWhoseAuthorityIsDue();
        await _scene.StoreAsync(old);
        await _scene.StartReplicasAsync();
        var (made, distrusted) = (0, 0);
        var isDone = false;
        await TestWait.UntilAsync(
            async () =>
            {
                var wasDone = isDone;
                await _scene.IsSwappedAsync(isDryRun: false);
                made++;
                foreach (var replica in _scene.Replicas)
                    if (!await _scene.IsTrustedAsync(replica))
                        distrusted++;
                isDone = await _scene.HaveAnotherCertificateAsync(old);
                // One more Pod after both replicas have changed.
                return wasDone;
            },
            "certificates of the new authority"
        );
        Assert.That(distrusted, Is.Zero, "an API server that connects meanwhile knows the authority of what it is shown");
        var images = await _scene.ImagesAsync();
        Assert.That(images, Has.Length.EqualTo(made).And.All.EqualTo("registry.example.com/library/nginx:latest"));
        Assert.That(made, Is.GreaterThan(10), "Pods were made before, while and after");
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(await _scene.AuthoritiesAsync());
        Assert.That(authorities, Has.Count.EqualTo(2));
        using var shown = X509Certificate2.CreateFromPem(await SelfSignedScene.ShownAsync(_scene.Replicas[0]));
        Assert.That(shown.Issuer, Is.EqualTo(authorities[0].Subject).And.Not.EqualTo(authorities[1].Subject));
    }

    [Test]
    public async Task A_certificate_that_is_due_is_renewed_by_the_same_authority()
    {
        var (due, _) = SetsOfOneAuthority();
        await _scene.StoreAsync(due);
        await _scene.StartReplicasAsync();
        await TestWait.UntilAsync(() => _scene.HaveAnotherCertificateAsync(due), "another certificate");
        Assert.That((await _scene.AuthoritiesAsync()).Trim(), Is.EqualTo(due.Authorities.Trim()));
        using var renewed = X509Certificate2.CreateFromPem(await SelfSignedScene.ShownAsync(_scene.Replicas[0]));
        Assert.That(renewed.NotAfter.ToUniversalTime(), Is.GreaterThan(TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(60)));
        Assert.That(await _scene.IsSwappedAsync(), Is.True);
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task Open_connections_are_served_while_the_certificate_is_renewed(string version)
    {
        var (due, good) = SetsOfOneAuthority();
        await _scene.StoreAsync(good);
        await _scene.StartReplicasAsync();
        var connections = new int[2];
        using var first = Connect(0);
        using var second = Connect(1);
        HttpClient[] open = [first, second];
        foreach (var client in open)
            await ReviewAsync(client);
        Assert.That(await SelfSignedScene.ShownAsync(_scene.Replicas[0]), Is.EqualTo(good.Certificate.Trim()));

        await _scene.StoreAsync(due);
        var isDone = false;
        await TestWait.UntilAsync(
            async () =>
            {
                var wasDone = isDone;
                isDone = await _scene.HaveAnotherCertificateAsync(due, good);
                foreach (var client in open)
                    await ReviewAsync(client);
                return wasDone;
            },
            "another certificate for new connections"
        );
        Assert.That(connections, Is.EqualTo((int[])[1, 1]), "connections of each client");

        HttpClient Connect(int replica)
        {
            var handler = new SocketsHttpHandler
            {
                SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
                MaxConnectionsPerServer = 1,
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    Interlocked.Increment(ref connections[replica]);
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            return new HttpClient(handler)
            {
                BaseAddress = new Uri($"https://localhost:{_scene.Replicas[replica].Port}"),
                DefaultRequestVersion = Version.Parse(version),
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
        }
    }

    private static async Task ReviewAsync(HttpClient client)
    {
        using var content = new StringContent(ReviewSamples.Create(["nginx"]), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/mutate", content);
        Assert.That((response.StatusCode, response.Version), Is.EqualTo((HttpStatusCode.OK, client.DefaultRequestVersion)));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("\"patch\""));
    }

    /// <summary>A certificate that has to be renewed, and its successor by the same authority.</summary>
    private static (CertificateSet Due, CertificateSet Good) SetsOfOneAuthority()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(65));
        var issuer = new CertificateIssuer(["localhost"], time);
        var due = issuer.Create();
        time.SetUtcNow(TimeProvider.System.GetUtcNow());
        return (due, issuer.Renew(due, isPublished: true)!);
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
}
