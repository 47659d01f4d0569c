using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The built program as <c>serve</c>: limits, TLS, renewal, reload and shutdown.</summary>
[TestFixture]
internal sealed class ServeTests : ServingFixture
{
    [Test]
    public async Task Invalid_requests_get_their_status_and_have_no_other_effect()
    {
        Assert.Multiple(async () =>
        {
            Assert.That(
                await StatusOfAsync(new StringContent("garbage", Encoding.UTF8, "application/json")),
                Is.EqualTo(HttpStatusCode.BadRequest)
            );
            Assert.That(
                await StatusOfAsync(new StringContent("{}", Encoding.UTF8, "application/json")),
                Is.EqualTo(HttpStatusCode.BadRequest)
            );
            Assert.That(
                await StatusOfAsync(new StringContent("", Encoding.UTF8, "application/json")),
                Is.EqualTo(HttpStatusCode.BadRequest)
            );
            Assert.That(
                await StatusOfAsync(new StringContent("{}", Encoding.UTF8, "text/plain")),
                Is.EqualTo(HttpStatusCode.UnsupportedMediaType)
            );
            Assert.That(
                await StatusOfAsync(
                    new ByteArrayContent(new byte[21 * 1024 * 1024]) { Headers = { ContentType = new("application/json") } }
                ),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge)
            );
            Assert.That((await Client.GetAsync("/mutate")).StatusCode, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
            Assert.That(
                (await Client.GetAsync("/metrics")).StatusCode,
                Is.EqualTo(HttpStatusCode.NotFound),
                "management pages are not on the webhook's port"
            );
            Assert.That(
                (await Webhook.Management.PostAsync("/mutate", null)).StatusCode,
                Is.EqualTo(HttpStatusCode.NotFound),
                "reviews are not on the management port"
            );
            Assert.That(await TargetAsync(Client), Is.EqualTo("one.example/library/nginx:latest"));
        });
    }

    [Test]
    public async Task A_Pod_of_images_that_do_not_parse_does_not_fill_the_log()
    {
        using var content = new StringContent(
            ReviewSamples.Create([.. Enumerable.Range(0, 500).Select(index => $"Not/An/Image{index}")]),
            Encoding.UTF8,
            "application/json"
        );
        using var response = await Client.PostAsync("/mutate", content);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await TestWait.UntilAsync(
            () => Task.FromResult(Webhook.Log.Contains("further warnings for the same Pod: 490", StringComparison.Ordinal)),
            "the last line about the Pod"
        );
        Assert.That(Webhook.Log.Split('\n').Count(line => line.Contains("\"Warning\":", StringComparison.Ordinal)), Is.EqualTo(10));
    }

    [Test]
    public async Task TLS_below_1_2_is_rejected()
    {
        // Written by hand, since a client's own TLS may reject it first: a ClientHello of TLS 1.1 with cipher suites of its time.
        using var socket = new TcpClient();
        await socket.ConnectAsync("localhost", Webhook.Port);
        byte[] hello = [0x03, 0x02, .. RandomNumberGenerator.GetBytes(32), 0, 0, 6, 0xC0, 0x13, 0xC0, 0x09, 0x00, 0x2F, 1, 0];
        await socket
            .GetStream()
            .WriteAsync(
                new byte[] { 0x16, 3, 1, 0, (byte)(hello.Length + 4), 1, 0, 0, (byte)hello.Length }
                    .Concat(hello)
                    .ToArray()
            );
        var alert = new byte[7];
        await socket.GetStream().ReadExactlyAsync(alert);
        Assert.That((alert[0], alert[5], alert[6]), Is.EqualTo(((byte)0x15, (byte)2, (byte)70)), "a fatal alert: protocol_version");
        await using var tls12 = await ConnectAsync(SslProtocols.Tls12);
        Assert.That(tls12.SslProtocol, Is.EqualTo(SslProtocols.Tls12));
    }

    [Test]
    public async Task A_renewed_certificate_is_shown_to_new_connections_and_open_ones_stay()
    {
        await using var open = await ConnectAsync(SslProtocols.None);
        var before = open.RemoteCertificate!.GetCertHashString();
        using var key = RSA.Create(2048);
        var (certificate, pem) = Webhook.Certificates.Issue(rsa: key);
        // For a moment only the key is new: the old pair must stay in use.
        await File.WriteAllTextAsync(Path.Combine(Webhook.Folder, "tls.key"), pem);
        await TestWait.UntilAsync(
            async () =>
                PrometheusText.Parse(await Webhook.Management.GetStringAsync("/metrics"))["proxyswapper_certificate_read_errors_total"] > 0,
            "the read error"
        );
        Assert.That(await TargetAsync(Client), Is.Not.Null);
        await File.WriteAllTextAsync(Path.Combine(Webhook.Folder, "tls.crt"), certificate);
        await TestWait.UntilAsync(
            async () =>
            {
                await using var fresh = await ConnectAsync(SslProtocols.None);
                return fresh.RemoteCertificate!.GetCertHashString() != before;
            },
            "the new certificate"
        );
        await open.WriteAsync(
            "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray()
        );
        using var reader = new StreamReader(open);
        Assert.That(await reader.ReadLineAsync(), Does.Contain("400"), "the connection from before is still served");
        Assert.That(await Webhook.Management.GetStringAsync("/metrics"), Does.Contain("proxyswapper_certificate_renewals_total 1"));
    }

    [Test]
    public async Task A_changed_configuration_takes_effect_and_an_invalid_one_is_reported_and_has_none()
    {
        await File.WriteAllTextAsync(Webhook.ConfigurationFile, Webhook.Complete("proxyUrl: two.example"));
        await TestWait.UntilAsync(async () => await TargetAsync(Client) == "two.example/library/nginx:latest", "the new rules");
        await File.WriteAllTextAsync(Webhook.ConfigurationFile, Webhook.Complete("proxyUrl: https://three.example"));
        await TestWait.UntilAsync(
            async () => (await Webhook.Management.GetStringAsync("/readyz?verbose")).Contains("without a scheme", StringComparison.Ordinal),
            "the fault in /readyz?verbose"
        );
        var metrics = await Webhook.Management.GetStringAsync("/metrics");
        Assert.Multiple(async () =>
        {
            Assert.That(await TargetAsync(Client), Is.EqualTo("two.example/library/nginx:latest"));
            Assert.That(
                metrics,
                Does.Contain("""proxyswapper_config_reloads_total{result="failure"} 1""")
                    .And.Contain("""proxyswapper_config_reloads_total{result="success"} 1""")
            );
            Assert.That(metrics, Does.Contain("proxyswapper_config_last_reload_successful 0"));
            Assert.That(Webhook.Log, Does.Contain("keeping the current one"));
        });
    }

    [Test]
    public async Task The_metrics_are_in_the_format_of_prometheus()
    {
        await TargetAsync(Client);
        var metrics = PrometheusText.Parse(await Webhook.Management.GetStringAsync("/metrics"));
        Assert.Multiple(() =>
        {
            Assert.That(metrics["""proxyswapper_admissions_total{result="patched"}"""], Is.EqualTo(1));
            Assert.That(metrics["""proxyswapper_images_total{registry="docker.io",result="rewritten"}"""], Is.EqualTo(1));
            Assert.That(metrics["proxyswapper_patch_duration_seconds_count"], Is.EqualTo(1));
            Assert.That(metrics["""proxyswapper_patch_duration_seconds_bucket{le="+Inf"}"""], Is.EqualTo(1));
            Assert.That(
                metrics["proxyswapper_certificate_expiry_timestamp_seconds"],
                Is.GreaterThan(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds())
            );
            Assert.That(metrics["process_resident_memory_bytes"], Is.GreaterThan(0));
        });
    }

    [Test]
    public async Task Pods_that_their_controller_keeps_recreating_have_their_own_result_in_the_metrics()
    {
        const string Review = """
            {"apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"kind":"Pod"},"operation":"CREATE","namespace":"team",
              "object":{"metadata":{"name":"db-1","ownerReferences":[
                {"apiVersion":"example.com/v1","kind":"Database","name":"db","uid":"d","controller":true}]},
              "spec":{"containers":[{"name":"main","image":"nginx"}]}}}}
            """;
        for (var i = 0; i < 4; i++)
            Assert.That(await StatusOfAsync(new StringContent(Review, Encoding.UTF8, "application/json")), Is.EqualTo(HttpStatusCode.OK));
        var metrics = PrometheusText.Parse(await Webhook.Management.GetStringAsync("/metrics"));
        Assert.That(
            new[] { "patched", "recreated_too_often" }.Select(result =>
                metrics[$$"""proxyswapper_admissions_total{result="{{result}}"}"""]
            ),
            Is.EqualTo(new[] { 2, 2 })
        );
    }

    [Test]
    public async Task A_path_of_one_port_does_not_exist_on_the_other()
    {
        foreach (var page in new[] { "/", "/healthz", "/readyz", "/metrics", "/MUTATE", "/mutate/" })
            Assert.That((await Client.GetAsync(page)).StatusCode, Is.EqualTo(HttpStatusCode.NotFound), $"{page} with TLS");
        // A target that names another scheme changes nothing.
        using var socket = new TcpClient();
        await socket.ConnectAsync("localhost", Webhook.ManagementPort);
        await socket
            .GetStream()
            .WriteAsync(
                "POST https://localhost/mutate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray()
            );
        using var reader = new StreamReader(socket.GetStream());
        Assert.That(await reader.ReadLineAsync(), Does.Contain("404"));
    }

    [Test]
    public async Task The_log_is_a_line_of_JSON_for_each_event_and_has_no_request_in_it()
    {
        await TargetAsync(Client);
        Webhook.Terminate();
        await Webhook.WaitForExitAsync();
        var events = Webhook.Log.Split('\n').Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.That(events.Select(line => $"{line["message"]}"), Has.Some.EqualTo("Ready").And.Some.StartsWith("No longer ready"));
        Assert.That(events, Has.None.Matches<JsonNode>(line => $"{line["logger"]}".StartsWith("Microsoft", StringComparison.Ordinal)));
    }

    [Test]
    public async Task Without_its_certificate_it_does_not_start_and_says_how_to_get_one()
    {
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["serve"], ("PROXYSWAPPER_TLS_CERT_PATH", "/nowhere/tls.crt"));
        Assert.That(
            (
                exitCode,
                error.Contains("cert-manager", StringComparison.Ordinal) && error.Contains("/nowhere/tls.crt", StringComparison.Ordinal)
            ),
            Is.EqualTo((2, true)),
            error
        );
    }

    [Test]
    public async Task An_invalid_configuration_ends_with_2_and_all_its_faults()
    {
        var file = Path.Combine(Webhook.Folder, "bad.yaml");
        await File.WriteAllTextAsync(file, "port: x\nprot: 1\n");
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["serve", "--config", file]);
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((2, 2)), error);
    }

    [Test]
    public async Task A_port_in_use_is_reported_in_one_line([Values("text", "json")] string logFormat, [Values] bool isManagementPort)
    {
        var free = isManagementPort ? "PROXYSWAPPER_PORT" : "PROXYSWAPPER_MANAGEMENT_PORT";
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(
            ["serve", "--config", Webhook.ConfigurationFile],
            (free, $"{TestProcess.FreePort()}"),
            ("PROXYSWAPPER_LOG_FORMAT", logFormat)
        );
        var port = isManagementPort ? Webhook.ManagementPort : Webhook.Port;
        Assert.That(
            (exitCode, error.TrimEnd().Split('\n')[^1]),
            Is.EqualTo((1, $"cannot listen on port {port}: address already in use")),
            output + error
        );
        Assert.That(output + error, Does.Not.Contain("   at ").And.Not.Contain("xception").And.Not.Contain("failed to start"));
    }

    [Test]
    public async Task A_port_without_the_right_to_it_is_reported()
    {
        var (file, arguments) = ProxySwapperProgram.CommandOf(["serve", "--config", Webhook.ConfigurationFile]);
        // A new network namespace has privileged ports also where the machine has none, as in a container of Docker.
        var (exitCode, _, error) = await TestProcess.RunAsync(
            "sh",
            OwnNamespace.Arguments(
                "--net",
                ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", file, .. arguments]
            ),
            new Dictionary<string, string> { ["PROXYSWAPPER_PORT"] = "443" }
        );
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((1, 1)), error);
        Assert.That(error, Does.Contain("443").And.Contain("denied"));
    }

    private async Task<HttpStatusCode> StatusOfAsync(HttpContent content)
    {
        // Sends Expect: 100-continue, as clients do for large bodies.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate") { Content = content, Headers = { ExpectContinue = true } };
        using var response = await Client.SendAsync(request);
        return response.StatusCode;
    }
}
