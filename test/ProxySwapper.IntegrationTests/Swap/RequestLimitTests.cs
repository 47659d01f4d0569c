using System.Net;
using System.Security.Authentication;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>Bodies that are too large, too slow or too many, with the built program.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class RequestLimitTests : ServingFixture
{
    [Test]
    public async Task A_chunked_body_over_20_MiB_is_rejected_while_it_comes()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = new StreamContent(new MemoryStream(new byte[21 * 1024 * 1024])),
        };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = true;
        using var response = await Client.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task A_body_that_does_not_arrive_ends_after_ten_seconds_and_delays_nobody()
    {
        await using var stream = await ConnectAsync(SslProtocols.None);
        await stream.WriteAsync(
            "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray()
        );
        Assert.That(await TargetAsync(Client), Is.Not.Null, "others are served meanwhile");
        using var reader = new StreamReader(stream);
        // The server's own limits would end it earlier, without a response. The end of the connection is not awaited.
        Assert.That(await reader.ReadLineAsync(), Does.StartWith("HTTP/1.1 408 "));
        string? line;
        do line = await reader.ReadLineAsync();
        while (line is not null && !line.Contains("the request body took longer than 10 s", StringComparison.Ordinal));
        Assert.That(line, Is.Not.Null);
    }

    [Test]
    public async Task Limits_hold_over_HTTP_2_too()
    {
        Assert.Multiple(async () =>
        {
            Assert.That(
                await StatusOverHttp2Async(new ByteArrayContent(new byte[21 * 1024 * 1024])),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge)
            );
            Assert.That(
                await StatusOverHttp2Async(new ContentOfNoKnownLength(21 * 1024 * 1024)),
                Is.EqualTo(HttpStatusCode.RequestEntityTooLarge),
                "of no known length"
            );
            Assert.That(
                await StatusOverHttp2Async(new ContentOfNoKnownLength(1, isStalling: true)),
                Is.EqualTo(HttpStatusCode.RequestTimeout)
            );
            Assert.That(
                await StatusOverHttp2Async(new StringContent(ReviewSamples.Create("nginx") + new string(' ', 19 * 1024 * 1024))),
                Is.EqualTo(HttpStatusCode.OK)
            );
        });
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
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return response.StatusCode;
    }

    /// <summary>A body without a Content-Length.</summary>
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
