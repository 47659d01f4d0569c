using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>
/// Sends a valid review on a new connection, as an API server in a process of its own would: on a thread of its own, since the thread pool
/// of the tests is busy attacking.
/// </summary>
internal static class ReviewClient
{
    /// <summary>Sends a review in two parts, so that the webhook has to wait.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="target">What must become of the image <c>nginx</c>.</param>
    /// <returns>The time from opening the connection to the response.</returns>
    public static Task<TimeSpan> MeasureAsync(ProxySwapperProcess webhook, string target) =>
        Task.Factory.StartNew(
            () => Measure(webhook, target),
            default,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default
        );

    private static TimeSpan Measure(ProxySwapperProcess webhook, string target)
    {
        using var never = new ManualResetEventSlim();
        var review = Encoding.UTF8.GetBytes(ReviewSamples.Create("nginx"));
        var started = Stopwatch.GetTimestamp();
        using var client = new TcpClient("127.0.0.1", webhook.Port) { NoDelay = true };
        using var stream = new SslStream(
            client.GetStream(),
            leaveInnerStreamOpen: false,
            (_, shown, _, _) => webhook.Certificates.HasSigned(shown as X509Certificate2)
        );
        stream.AuthenticateAsClient("localhost");
        stream.Write(
            Encoding.ASCII.GetBytes(
                "POST /mutate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {review.Length}\r\n\r\n")
            )
        );
        stream.Write(review.AsSpan(0, review.Length / 2));
        never.Wait(TimeSpan.FromMilliseconds(50));
        stream.Write(review.AsSpan(review.Length / 2));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var response = reader.ReadToEnd();
        var time = Stopwatch.GetElapsedTime(started);
        var body = response[(response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.That(response, Does.StartWith("HTTP/1.1 200 "));
        var patch = JsonNode.Parse(Convert.FromBase64String((string)JsonNode.Parse(body)!["response"]!["patch"]!))!;
        Assert.That((string?)patch[0]!["value"], Is.EqualTo(target));
        return time;
    }
}
