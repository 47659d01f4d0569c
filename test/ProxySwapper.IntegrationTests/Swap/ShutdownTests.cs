using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>Shutdown of the built program: it drains and loses no request.</summary>
[TestFixture, NonParallelizable]
internal sealed class ShutdownTests : ServingFixture
{
    [Test]
    public async Task SIGTERM_reports_not_ready_first_loses_no_request_and_ends_with_0()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("proxyUrl: one.example\ndrainDelay: 2s");
        using var client = webhook.CreateClient();
        webhook.Terminate();
        await TestWait.UntilAsync(async () => !await webhook.IsReadyAsync(), "not ready");
        for (var request = 0; request < 50; request++)
            Assert.That(await TargetAsync(client), Is.Not.Null, "served while draining");
        Assert.That(await webhook.WaitForExitAsync(), Is.Zero);
    }

    [Test]
    public async Task SIGINT_is_the_same()
    {
        Webhook.Interrupt();
        Assert.That(await Webhook.WaitForExitAsync(), Is.Zero, Webhook.Log);
    }

    [Test]
    public async Task Draining_under_load_loses_no_request()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("proxyUrl: one.example\ndrainDelay: 2s");
        using var gone = new CancellationTokenSource();
        // As from API servers: requests keep arriving until the endpoint is removed from the Service, a while after it is not ready.
        var clients = Enumerable
            .Range(0, 8)
            .Select(_ =>
                Task.Run(async () =>
                {
                    using var client = webhook.CreateClient();
                    var responses = 0;
                    for (; !gone.IsCancellationRequested; responses++)
                        await TargetAsync(client);
                    return responses;
                })
            )
            .ToList();
        await TestWait.UntilAsync(
            async () =>
                PrometheusText.Parse(await webhook.Management.GetStringAsync("/metrics"))[
                    """proxyswapper_admissions_total{result="patched"}"""
                ] > 0,
            "the first review"
        );
        webhook.Terminate();
        await TestWait.UntilAsync(async () => !await webhook.IsReadyAsync(), "not ready");
        await gone.CancelAsync();
        Assert.That(await Task.WhenAll(clients), Has.All.GreaterThan(0));
        Assert.That(await webhook.WaitForExitAsync(), Is.Zero);
    }

    [Test]
    public async Task A_request_that_is_under_way_at_the_end_has_its_response()
    {
        await using var stream = await ConnectAsync(SslProtocols.None);
        var body = ReviewSamples.Create("nginx");
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                    + $"{body.Length}\r\n\r\n{body[..10]}"
            )
        );
        await TestWait.UntilAsync(async () => await TargetAsync(Client) is not null, "a review behind it");
        Webhook.Terminate();
        await TestWait.UntilAsync(
            async () =>
            {
                using var probe = new TcpClient();
                try
                {
                    await probe.ConnectAsync("localhost", Webhook.Port);
                    return false;
                }
                catch (SocketException)
                {
                    return true;
                }
            },
            "the end of listening"
        );
        await stream.WriteAsync(Encoding.UTF8.GetBytes(body[10..]));
        using var reader = new StreamReader(stream);
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("HTTP/1.1 200 OK"));
        Assert.That(await Webhook.WaitForExitAsync(), Is.Zero);
    }
}
