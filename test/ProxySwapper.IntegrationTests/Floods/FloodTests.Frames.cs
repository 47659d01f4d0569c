using System.Text;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>Floods of HTTP/2 frames.</summary>
internal sealed partial class FloodTests
{
    /// <summary>So many times a connection opens streams.</summary>
    private const int StreamRounds = 20;

    /// <summary>
    /// Between two rounds of about a thousand frames. The attacker runs on the same processors, and without a pause it would be its own
    /// load that is measured.
    /// </summary>
    private static readonly TimeSpan FramePause = TimeSpan.FromMilliseconds(20);

    private static readonly byte[] Part = new byte[16 * 1024];

    [Test]
    public Task Floods_of_pings_after_a_valid_review() => SendAfterReviewAsync(50, _ => Http2Frames.Pings(1000));

    [Test]
    public Task Floods_of_settings() => SendHttp2Async(50, _ => Http2Frames.EmptySettings(1000));

    [Test]
    public Task Floods_of_requests_that_are_reset_at_once() =>
        SendHttp2Async(StreamRounds, Streams(stream => [.. Http2Frames.Request(stream), .. Http2Frames.Reset(stream)]));

    [Test]
    public Task Headers_that_never_end() => SendHttp2Async(1, _ => Http2Frames.EndlessHeaders(1, 100));

    [Test]
    public Task Empty_parts_of_bodies() =>
        SendHttp2Async(200, round => round == 0 ? Http2Frames.Request(1) : Http2Frames.EmptyBodies(1, 1000));

    [Test]
    public Task Thousands_of_streams_whose_bodies_do_not_end() =>
        SendHttp2Async(StreamRounds, Streams(stream => [.. Http2Frames.Request(stream), .. Http2Frames.Body(stream, Part.AsSpan(0, 200))]));

    [Test]
    public Task Thousands_of_streams_whose_bodies_do_not_end_after_a_valid_review() =>
        SendAfterReviewAsync(
            StreamRounds,
            Streams(stream => [.. Http2Frames.Request(stream), .. Http2Frames.Body(stream, Part.AsSpan(0, 200))])
        );

    [Test]
    public Task Streams_that_fill_their_windows() =>
        SendHttp2Async(
            StreamRounds,
            Streams(stream => [.. Http2Frames.Request(stream), .. Http2Frames.Body(stream, Part), .. Http2Frames.Body(stream, Part)], 16)
        );

    [TestCase(true, true), TestCase(false, true), TestCase(true, false)]
    public Task Reviews_whose_responses_are_not_read(bool isAfterReview, bool mayBeSent)
    {
        var review = Encoding.UTF8.GetBytes(ReviewSamples.Create("nginx"));
        var frames = Streams(stream => [.. Http2Frames.Request(stream), .. Http2Frames.Body(stream, review, isLast: true)]);
        // SETTINGS_INITIAL_WINDOW_SIZE 0: no response body may be sent.
        (ushort, uint)[] settings = mayBeSent ? [] : [(4, 0)];
        return isAfterReview ? SendAfterReviewAsync(StreamRounds, frames, settings) : SendHttp2Async(StreamRounds, frames, settings);
    }

    /// <summary>Each response has a patch for a thousand images.</summary>
    [Test]
    public Task Large_responses_that_are_not_read()
    {
        var review = Encoding.UTF8.GetBytes(ReviewSamples.Create([.. Enumerable.Repeat("aaa1", 1000)]));
        var parts = review.Chunk(Part.Length).ToList();
        var frames = Streams(
            stream =>
                Http2Frames.Join([
                    Http2Frames.Request(stream),
                    .. parts.Select((part, index) => Http2Frames.Body(stream, part, isLast: index == parts.Count - 1)),
                ]),
            4
        );
        return SendHttp2Async(StreamRounds, frames, (4, 0));
    }

    /// <summary>Far more than API servers send, but less than a usual server's limit.</summary>
    [Test]
    public Task Long_headers_of_streams_that_do_not_end() =>
        SendHttp2Async(StreamRounds, Streams(stream => Http2Frames.LongRequest(stream, 7000), 16));

    /// <summary>Rounds of streams, by default of more than the webhook allows on a connection at once.</summary>
    private static Func<int, byte[]> Streams(Func<int, byte[]> frames, int count = 500)
    {
        // Made once, for all connections: one more round than is sent.
        var all = Enumerable.Range(0, StreamRounds + 1).Select(round => Http2Frames.Join(Numbers(round).Select(frames))).ToArray();
        return round => all[round];

        IEnumerable<int> Numbers(int round) => Enumerable.Range(count * round, count).Select(number => (2 * number) + 1);
    }

    private Task SendAfterReviewAsync(int rounds, Func<int, byte[]> frames, params (ushort, uint)[] settings) =>
        AssertServesDuringAsync((flood, _) => flood.SendFramesAfterReviewAsync(rounds, frames, FramePause, settings));

    private Task SendHttp2Async(int rounds, Func<int, byte[]> frames, params (ushort, uint)[] settings) =>
        AssertServesDuringAsync((flood, _) => flood.SendFramesAsync(rounds, frames, FramePause, settings));
}
