using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>What the built program does with bodies that are too large, too slow or too many.</summary>
[TestFixture, Parallelizable]
internal sealed class RequestLimitTests : ServingFixture
{
    [Test]
    public async Task A_chunked_body_over_8_MiB_is_refused_while_it_comes()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = new StreamContent(new MemoryStream(new byte[9 * 1024 * 1024])),
        };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = true;
        using var answer = await Client.SendAsync(request);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task A_body_that_does_not_come_ends_after_ten_seconds_and_holds_nobody_up()
    {
        await using var stream = await ConnectAsync(SslProtocols.None);
        await stream.WriteAsync(
            "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray()
        );
        Assert.That(await TargetAsync(Client), Is.Not.Null, "others are served meanwhile");
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
                        (
                            "POST /mutate HTTP/1.1\r\nHost: localhost\r\n"u8
                            + "Content-Type: application/json\r\nContent-Length: 8000000\r\n\r\n"u8
                        ).ToArray()
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
            Assert.That(await TargetAsync(Client), Is.Not.Null, "what is there at once needs no room");
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

    private async Task<HttpStatusCode> StatusOverHttp2Async(HttpContent content)
    {
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> StatusOfAsync(HttpContent content)
    {
        // Asks before it sends what may be too much, as clients of large bodies do.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate") { Content = content, Headers = { ExpectContinue = true } };
        using var answer = await Client.SendAsync(request);
        return answer.StatusCode;
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
