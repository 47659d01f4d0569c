using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The built program serving: limits, TLS, renewal, reload and the end.</summary>
[TestFixture]
internal sealed class ServeTests
{
    private ProxySwapperProcess _webhook = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _webhook = await ProxySwapperProcess.StartAsync("proxyUrl: one.example");
        _client = _webhook.CreateClient();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _webhook.DisposeAsync();
    }

    [Test]
    public async Task What_is_no_review_gets_its_status_and_harms_nothing_else()
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
                    new ByteArrayContent(new byte[9 * 1024 * 1024]) { Headers = { ContentType = new("application/json") } }
                ),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge)
            );
            Assert.That((await _client.GetAsync("/mutate")).StatusCode, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
            Assert.That(
                (await _client.GetAsync("/metrics")).StatusCode,
                Is.EqualTo(HttpStatusCode.NotFound),
                "management pages are not on the webhook's port"
            );
            Assert.That(
                (await _webhook.Management.PostAsync("/mutate", null)).StatusCode,
                Is.EqualTo(HttpStatusCode.NotFound),
                "reviews are not on the management port"
            );
            Assert.That(await TargetAsync(_client), Is.EqualTo("one.example/library/nginx:latest"));
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
        using var answer = await _client.PostAsync("/mutate", content);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await TestWait.UntilAsync(
            () => Task.FromResult(_webhook.Log.Contains("490 more warnings", StringComparison.Ordinal)),
            "the last line about the Pod"
        );
        Assert.That(
            _webhook.Log.Split('\n').Count(line => line.Contains("\"EventId\":{\"Id\":3,\"Name\":\"Warned\"}", StringComparison.Ordinal)),
            Is.EqualTo(10)
        );
    }

    [Test]
    public async Task A_chunked_body_over_8_MiB_is_refused_while_it_comes()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = new StreamContent(new MemoryStream(new byte[9 * 1024 * 1024])),
        };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = true;
        using var answer = await _client.SendAsync(request);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task A_body_that_does_not_come_ends_after_ten_seconds_and_holds_nobody_up()
    {
        await using var stream = await ConnectAsync(SslProtocols.None);
        await stream.WriteAsync(
            "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray()
        );
        Assert.That(await TargetAsync(_client), Is.Not.Null, "others are served meanwhile");
        using var reader = new StreamReader(stream);
        // The server's own limits would end it sooner, and without a word.
        Assert.That(await reader.ReadToEndAsync(), Does.StartWith("HTTP/1.1 408 ").And.Contain("the body took longer than 10 s"));
    }

    [Test]
    public async Task Limits_hold_over_HTTP_2_too()
    {
        Assert.Multiple(async () =>
        {
            Assert.That(
                await StatusOverHttp2Async(new ByteArrayContent(new byte[9 * 1024 * 1024])),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge)
            );
            Assert.That(
                await StatusOverHttp2Async(new ContentOfNoKnownLength(9 * 1024 * 1024)),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge),
                "of no known length"
            );
            Assert.That(
                await StatusOverHttp2Async(new ContentOfNoKnownLength(1, isStalling: true)),
                Is.EqualTo(HttpStatusCode.RequestTimeout)
            );
            Assert.That(
                await StatusOverHttp2Async(new StringContent(ReviewSamples.Create("nginx") + new string(' ', 7 * 1024 * 1024))),
                Is.EqualTo(HttpStatusCode.OK)
            );
        });
    }

    [Test]
    public async Task Many_slow_bodies_together_hold_no_more_than_their_budget()
    {
        var streams = new List<SslStream>();
        var part = new byte[7 * 1024 * 1024];
        try
        {
            for (var connection = 0; connection < 12; connection++)
            {
                streams.Add(await ConnectAsync(SslProtocols.None));
                await streams[^1]
                    .WriteAsync(
                        "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n"u8.ToArray()
                    );
            }
            var answers = streams
                .Select(async stream =>
                {
                    // A body that is refused is not read to its end.
                    try
                    {
                        await stream.WriteAsync(part);
                    }
                    catch (IOException) { }
                    using var reader = new StreamReader(stream);
                    try
                    {
                        return await reader.ReadLineAsync();
                    }
                    catch (IOException)
                    {
                        return null;
                    }
                })
                .ToList();
            Assert.That(await await Task.WhenAny(answers), Is.EqualTo("HTTP/1.1 503 Service Unavailable"));
            Assert.That(await TargetAsync(_client), Is.Not.Null, "what is there at once needs no room");
            Assert.That((await Task.WhenAll(answers)).Count(line => line == "HTTP/1.1 408 Request Timeout"), Is.LessThanOrEqualTo(9));
        }
        finally
        {
            foreach (var stream in streams)
                await stream.DisposeAsync();
        }
        Assert.That(
            await StatusOfAsync(new StringContent(new string(' ', 7 * 1024 * 1024), Encoding.UTF8, "application/json")),
            Is.EqualTo(HttpStatusCode.BadRequest),
            "the room is there again"
        );
    }

    [Test]
    public async Task TLS_below_1_2_is_refused()
    {
        // By hand, since a client's own TLS may refuse it before the server does: a ClientHello of TLS 1.1 with cipher suites of its time.
        using var socket = new TcpClient();
        await socket.ConnectAsync("localhost", _webhook.Port);
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
        var (certificate, pem) = _webhook.Certificates.Issue(rsa: key);
        // The key is there before its certificate for a moment: the old pair must stay in force.
        await File.WriteAllTextAsync(Path.Combine(_webhook.Folder, "tls.key"), pem);
        await TestWait.UntilAsync(
            async () =>
                (await _webhook.Management.GetStringAsync("/metrics")).Contains(
                    "proxyswapper_certificate_read_errors_total",
                    StringComparison.Ordinal
                ),
            "the read error"
        );
        Assert.That(await TargetAsync(_client), Is.Not.Null);
        await File.WriteAllTextAsync(Path.Combine(_webhook.Folder, "tls.crt"), certificate);
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
        Assert.That(await _webhook.Management.GetStringAsync("/metrics"), Does.Contain("proxyswapper_certificate_renewals_total 1"));
    }

    [Test]
    public async Task A_changed_configuration_takes_effect_and_a_bad_one_shows_and_changes_nothing()
    {
        await File.WriteAllTextAsync(_webhook.ConfigurationFile, _webhook.Complete("proxyUrl: two.example"));
        await TestWait.UntilAsync(async () => await TargetAsync(_client) == "two.example/library/nginx:latest", "the new rules");
        await File.WriteAllTextAsync(_webhook.ConfigurationFile, _webhook.Complete("proxyUrl: https://three.example"));
        await TestWait.UntilAsync(
            async () =>
                (await _webhook.Management.GetStringAsync("/readyz?verbose")).Contains("without a scheme", StringComparison.Ordinal),
            "the fault in /readyz?verbose"
        );
        var metrics = await _webhook.Management.GetStringAsync("/metrics");
        Assert.Multiple(async () =>
        {
            Assert.That(await TargetAsync(_client), Is.EqualTo("two.example/library/nginx:latest"));
            Assert.That(
                metrics,
                Does.Contain("""proxyswapper_config_reloads_total{result="failure"} 1""")
                    .And.Contain("""proxyswapper_config_reloads_total{result="success"} 1""")
            );
            Assert.That(metrics, Does.Contain("proxyswapper_config_last_reload_successful 0"));
            Assert.That(_webhook.Log, Does.Contain("the last good one stays in force"));
        });
    }

    [Test]
    public async Task The_metrics_are_in_the_format_of_prometheus()
    {
        await TargetAsync(_client);
        var metrics = PrometheusText.Parse(await _webhook.Management.GetStringAsync("/metrics"));
        Assert.Multiple(() =>
        {
            Assert.That(metrics["""proxyswapper_admissions_total{result="patched"}"""], Is.EqualTo(1));
            Assert.That(metrics["""proxyswapper_images_total{result="rewritten",registry="docker.io"}"""], Is.EqualTo(1));
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
    public async Task SIGTERM_says_not_ready_first_loses_no_request_and_ends_with_0()
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
        _webhook.Interrupt();
        Assert.That(await _webhook.WaitForExitAsync(), Is.Zero, _webhook.Log);
    }

    [Test]
    public async Task Draining_under_load_loses_no_request()
    {
        await using var webhook = await ProxySwapperProcess.StartAsync("proxyUrl: one.example\ndrainDelay: 2s");
        using var gone = new CancellationTokenSource();
        // As API servers do: they come until the endpoint is gone from the Service, which is a while after it is not ready.
        var clients = Enumerable
            .Range(0, 8)
            .Select(_ =>
                Task.Run(async () =>
                {
                    using var client = webhook.CreateClient();
                    var answered = 0;
                    for (; !gone.IsCancellationRequested; answered++)
                        await TargetAsync(client);
                    return answered;
                })
            )
            .ToList();
        await TestWait.UntilAsync(
            async () =>
                (await webhook.Management.GetStringAsync("/metrics")).Contains("proxyswapper_admissions_total", StringComparison.Ordinal),
            "the first review"
        );
        webhook.Terminate();
        await TestWait.UntilAsync(async () => !await webhook.IsReadyAsync(), "not ready");
        await gone.CancelAsync();
        Assert.That(await Task.WhenAll(clients), Has.All.GreaterThan(0));
        Assert.That(await webhook.WaitForExitAsync(), Is.Zero);
    }

    [Test]
    public async Task A_request_that_is_under_way_at_the_end_is_answered()
    {
        await using var stream = await ConnectAsync(SslProtocols.None);
        var body = ReviewSamples.Create("nginx");
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body[..10]}"
            )
        );
        await TestWait.UntilAsync(async () => await TargetAsync(_client) is not null, "a review behind it");
        _webhook.Terminate();
        await TestWait.UntilAsync(
            async () =>
            {
                using var probe = new TcpClient();
                try
                {
                    await probe.ConnectAsync("localhost", _webhook.Port);
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
        Assert.That(await _webhook.WaitForExitAsync(), Is.Zero);
    }

    [Test]
    public async Task A_path_of_one_port_does_not_exist_on_the_other()
    {
        foreach (var page in new[] { "/", "/healthz", "/readyz", "/metrics", "/MUTATE", "/mutate/" })
            Assert.That((await _client.GetAsync(page)).StatusCode, Is.EqualTo(HttpStatusCode.NotFound), $"{page} with TLS");
        // A target that names another scheme changes nothing.
        using var socket = new TcpClient();
        await socket.ConnectAsync("localhost", _webhook.ManagementPort);
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
        await TargetAsync(_client);
        _webhook.Terminate();
        await _webhook.WaitForExitAsync();
        var events = _webhook.Log.Split('\n').Where(line => line.Length > 0).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.That(
            events.Select(line => $"{line["RenderedMessage"]}"),
            Has.Some.EqualTo("Ready").And.Some.StartsWith("Not ready any more")
        );
        Assert.That(
            events,
            Has.None.Matches<JsonNode>(line => $"{line["Properties"]!["SourceContext"]}".StartsWith("Microsoft", StringComparison.Ordinal))
        );
    }

    [Test]
    public async Task Without_its_certificate_it_refuses_to_start_and_says_how_to_get_one()
    {
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(
            ["serve"],
            new Dictionary<string, string> { ["PROXYSWAPPER_TLS_CERT_PATH"] = "/nowhere/tls.crt" }
        );
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
    public async Task A_bad_configuration_ends_with_2_and_all_its_faults()
    {
        var file = Path.Combine(_webhook.Folder, "bad.yaml");
        await File.WriteAllTextAsync(file, "port: x\nprot: 1\n");
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["serve", "--config", file]);
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((2, 2)), error);
    }

    [Test]
    public async Task A_port_in_use_is_said()
    {
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["serve", "--config", _webhook.ConfigurationFile]);
        Assert.That((exitCode, error.Contains("in use", StringComparison.OrdinalIgnoreCase)), Is.EqualTo((1, true)), error);
    }

    [Test]
    public async Task A_port_without_the_right_to_it_is_said()
    {
        var (file, arguments) = ProxySwapperProgram.CommandOf(["serve", "--config", _webhook.ConfigurationFile]);
        var (exitCode, _, error) = await TestProcess.RunAsync(
            "setpriv",
            ["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", file, .. arguments],
            new Dictionary<string, string> { ["PROXYSWAPPER_PORT"] = "443" }
        );
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((1, 1)), error);
        Assert.That(error, Does.Contain("443").And.Contain("denied"));
    }

    private async Task<HttpStatusCode> StatusOfAsync(HttpContent content)
    {
        // Asks before it sends what may be too much, as clients of large bodies do.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate") { Content = content, Headers = { ExpectContinue = true } };
        using var answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> StatusOverHttp2Async(HttpContent content)
    {
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private static async Task<string?> TargetAsync(HttpClient client)
    {
        using var content = new StringContent(
            """{"apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"kind":"Pod"},"operation":"CREATE","namespace":"default","object":{"spec":{"containers":[{"name":"web","image":"nginx"}]}}}}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await client.PostAsync("/mutate", content);
        var response = JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["response"]!;
        return JsonNode.Parse(Convert.FromBase64String((string)response["patch"]!))![0]!["value"]!.ToString();
    }

    private async Task<SslStream> ConnectAsync(SslProtocols protocols)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync("localhost", _webhook.Port);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocols,
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    _webhook.Certificates.HasSigned(certificate as X509Certificate2),
            }
        );
        return stream;
    }

    /// <summary>A body whose length the headers do not tell.</summary>
    private sealed class ContentOfNoKnownLength(int size, bool isStalling = false) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[size], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            if (isStalling)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
