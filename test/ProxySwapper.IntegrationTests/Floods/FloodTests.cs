using System.Net.Http.Headers;
using System.Net.Security;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>
/// The <see cref="FloodedWebhook"/> under one kind of attack each: valid reviews on new connections have a response, and the process stays
/// within its memory limit.
/// </summary>
[TestFixture, NonParallelizable]
internal sealed partial class FloodTests
{
    /// <summary>In the names of images that the attacker's reviews have.</summary>
    private const string HostileName = "hostile";

    /// <summary>How long frames are sent.</summary>
    private static readonly TimeSpan AttackTime = TimeSpan.FromSeconds(3);

    /// <summary>So many connections are opened to send frames.</summary>
    private const int MostConnections = 2000;

    /// <summary>Less than this is no attack: all have sent ten times as many bytes of frames.</summary>
    private const int LeastSent = 1024 * 1024;

    private ProxySwapperProcess _webhook = null!;
    private Flood _flood = null!;

    [SetUp]
    public async Task StartAsync() => Attack(await FloodedWebhook.StartAsync());

    private void Attack(ProxySwapperProcess webhook) => (_webhook, _flood) = (webhook, Flood.Of(webhook));

    [TearDown]
    public async Task StopAsync()
    {
        await _flood.DisposeAsync();
        await _webhook.DisposeAsync();
    }

    [Test]
    public async Task Five_thousand_connections_that_send_nothing()
    {
        await _flood.OpenAsync(5000, (flood, _) => flood.ConnectAsync());
        await AssertServesAsync();
        var metrics = PrometheusText.Parse(await _webhook.Management.GetStringAsync("/metrics"));
        Assert.That(metrics["""proxyswapper_connections_closed_total{reason="too many connections"}"""], Is.GreaterThan(4000));
    }

    [Test]
    public async Task Five_thousand_idle_connections_with_TLS()
    {
        await HoldAsync(5000, (flood, _) => flood.SecureAsync(SslApplicationProtocol.Http11));
        await AssertServesAsync();
    }

    [Test]
    public async Task A_thousand_idle_connections_to_a_process_with_few_files()
    {
        await StopAsync();
        Attack(await FloodedWebhook.StartAsync(openFiles: 256));
        await HoldAsync(1000, (flood, _) => flood.SecureAsync(SslApplicationProtocol.Http11));
        await AssertServesAsync();
        using var fresh = new HttpClient();
        Assert.That(await fresh.GetStringAsync($"http://localhost:{_webhook.ManagementPort}/healthz"), Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Two_thousand_half_sent_bodies()
    {
        await HoldAsync(2000, (flood, _) => flood.SendHalfBodyAsync(8000));
        await AssertServesAsync();
    }

    [TestCase(7 * 1024 * 1024), TestCase(10_000_000)]
    public async Task Large_endless_bodies_only_affect_themselves(int half)
    {
        await HoldAsync(16, (flood, _) => flood.SendHalfBodyAsync(2 * half));
        await AssertServesAsync();
    }

    [Test]
    public async Task Very_many_connections_to_the_management_port_do_not_keep_probes_out()
    {
        var idle = new List<System.Net.Sockets.TcpClient>();
        try
        {
            for (var connection = 0; connection < 1000; connection++)
            {
                idle.Add(new System.Net.Sockets.TcpClient());
                await idle[^1].ConnectAsync("localhost", _webhook.ManagementPort);
            }
            using var fresh = new HttpClient();
            Assert.That(await fresh.GetStringAsync($"http://localhost:{_webhook.ManagementPort}/healthz"), Is.EqualTo("ok\n"));
            await AssertServesAsync();
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    }

    [Test]
    public async Task Connections_that_are_idle_or_hold_a_body_after_a_valid_review()
    {
        await HoldAsync(
            600,
            async (flood, number) =>
            {
                var stream = await flood.ProveAsync(SslApplicationProtocol.Http11);
                if (number % 2 == 0)
                    await Flood.SendHalfBodyAsync(stream, 8000);
            }
        );
        await AssertServesAsync();
    }

    [Test]
    public void An_attacker_that_breaks_is_not_taken_for_an_attack() =>
        Assert.ThrowsAsync<InvalidOperationException>(() =>
            AssertServesDuringAsync((_, _) => throw new InvalidOperationException("the attacker's own fault"))
        );

    [Test]
    public async Task Reviews_of_many_long_names_while_the_downstream_registry_does_not_respond()
    {
        var end = new TaskCompletionSource();
        await using var downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = async (context, next) =>
                {
                    if (context.Request.Path.Value!.Contains(HostileName, StringComparison.Ordinal))
                        await end.Task.WaitAsync(context.RequestAborted);
                    await next(context);
                },
            }
        );
        TestImage.Create(1, 1, 100).AddTo(downstream, "hub/library/nginx", "latest");
        await StopAsync();
        Attack(
            await FloodedWebhook.StartAsync(
                $$"""
                rules: [{match: docker.io, target: "{{downstream.Address}}/hub"}]
                swapPolicy: exists
                populate: {policy: none, deadline: 9s}
                """
            )
        );
        using var client = _webhook.CreateClient();
        using var stop = new CancellationTokenSource();
        var attack = Enumerable.Range(0, 60).Select(number => SendManyImagesAsync(client, number, stop.Token)).ToList();
        // The others wait for the registry, until their time is up.
        await TestWait.UntilAsync(
            () => attack.Count(review => review is { IsCompletedSuccessfully: true, Result: true }) >= 40,
            "responses to reviews beyond the limit"
        );
        await AssertServesAsync($"{downstream.Address}/hub/library/nginx:latest");
        await stop.CancelAsync();
        end.SetResult();
        await ((Task)Task.WhenAll(attack)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Sends a review of 1,000 images in the attacker's namespace.</summary>
    /// <returns>Whether the response came at once, to make room for others.</returns>
    private static async Task<bool> SendManyImagesAsync(HttpClient client, int number, CancellationToken cancellationToken)
    {
        var images = Enumerable.Range(0, 1000).Select(image => $"{HostileName}/{new string('a', 200)}/{number}-{image}:1");
        var review = ReviewSamples.Create([.. images]).Replace("\"shop\"", "\"hostile\"", StringComparison.Ordinal);
        using var content = new StringContent(review, new MediaTypeHeaderValue("application/json"));
        using var response = await client.PostAsync("/mutate", content, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadAsStringAsync(cancellationToken)).Contains("too many images wait", StringComparison.Ordinal);
    }

    /// <summary>Opens connections with TLS, most of which the webhook accepts first, or nothing is attacked.</summary>
    private async Task HoldAsync(int count, Func<Flood, int, Task> open)
    {
        await _flood.OpenAsync(count, open);
        Assert.That(_flood.Opened, Is.GreaterThan(count / 2), "connections with TLS");
    }

    /// <summary>While an attacker opens connections, again and again as the webhook closes them.</summary>
    private async Task AssertServesDuringAsync(Func<Flood, int, Task> open)
    {
        var attack = _flood.OpenForAsync(AttackTime, MostConnections, open);
        await AssertServesAsync(attack: attack);
        await attack;
        Assert.Multiple(() =>
        {
            Assert.That(_flood.Opened, Is.AtLeast(Flood.Parallel), "connections with TLS");
            Assert.That(_flood.Sent, Is.GreaterThan(LeastSent), "bytes of frames");
        });
    }

    /// <summary>Valid reviews on new connections get their response in time, and the process never exceeded its memory limit.</summary>
    private async Task AssertServesAsync(string target = FloodedWebhook.Target, Task? attack = null)
    {
        var times = new List<TimeSpan>();
        while (times.Count < 10 || attack is { IsCompleted: false })
            times.Add(await ReviewClient.MeasureAsync(_webhook, target));
        var peak = FloodedWebhook.PeakMemoryOf(_webhook);
        TestContext.Out.WriteLine(
            $"{FloodedWebhook.Describe(times)}, peak {peak / 1024 / 1024} MiB; "
                + $"{_flood.Opened} attacking connections with TLS, {_flood.Sent / 1024} KiB of frames"
        );
        Assert.Multiple(() =>
        {
            FloodedWebhook.AssertInTime(times);
            Assert.That(peak, Is.LessThan(FloodedWebhook.MemoryLimit));
            Assert.That(_webhook.Log, Does.Not.Contain("\"exception\":").And.Not.Contain("Unhandled"));
        });
    }
}
