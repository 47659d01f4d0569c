using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ProxySwapper.Benchmarks.Swap;

/// <summary>
/// TLS connections that each post the same review repeatedly. Deliberately cheap: the client shares the machine with the server, so its
/// cost reduces the measured difference.
/// </summary>
internal sealed class ReviewLoad : IAsyncDisposable
{
    private readonly List<SslStream> _connections = [];
    private readonly byte[] _request;

    private ReviewLoad(string review)
    {
        var body = Encoding.UTF8.GetBytes(review);
        var head = $"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        _request = [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    public static async Task<ReviewLoad> ConnectAsync(int port, string review, int connections, Func<X509Certificate2?, bool> isTrusted)
    {
        var load = new ReviewLoad(review);
        for (var number = 0; number < connections; number++)
        {
            var socket = new TcpClient { NoDelay = true };
            await socket.ConnectAsync("localhost", port);
            var stream = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => isTrusted(certificate as X509Certificate2));
            await stream.AuthenticateAsClientAsync("localhost");
            load._connections.Add(stream);
        }
        return load;
    }

    /// <summary>Posts reviews for some time.</summary>
    public Task<LoadResult> RunAsync(TimeSpan duration)
    {
        var watch = Stopwatch.StartNew();
        return RunAsync(watch, () => watch.Elapsed < duration);
    }

    /// <summary>Posts a number of reviews.</summary>
    public Task<LoadResult> RunAsync(int reviews)
    {
        var left = reviews;
        return RunAsync(Stopwatch.StartNew(), () => Interlocked.Decrement(ref left) >= 0);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            await connection.DisposeAsync();
    }

    private async Task<LoadResult> RunAsync(Stopwatch watch, Func<bool> goesOn)
    {
        var latencies = await Task.WhenAll(_connections.Select(connection => Task.Run(() => PostAsync(connection, goesOn))));
        var elapsed = watch.Elapsed;
        var sorted = latencies.SelectMany(list => list).Order().ToList();
        return new LoadResult(
            sorted.Count / elapsed.TotalSeconds,
            TimeSpan.FromTicks(sorted[(int)(sorted.Count * 0.99)] * TimeSpan.TicksPerSecond / Stopwatch.Frequency)
        );
    }

    private async Task<List<long>> PostAsync(SslStream connection, Func<bool> goesOn)
    {
        var latencies = new List<long>(100_000);
        var buffer = new byte[16 * 1024];
        while (goesOn())
        {
            var start = Stopwatch.GetTimestamp();
            await connection.WriteAsync(_request);
            var (read, expected) = (0, int.MaxValue);
            while (read < expected)
            {
                var count = await connection.ReadAsync(buffer.AsMemory(read));
                if (count == 0)
                    throw new InvalidOperationException("The server closed a connection.");
                read += count;
                if (expected == int.MaxValue)
                    expected = LengthOf(buffer.AsSpan(0, read));
            }
            latencies.Add(Stopwatch.GetTimestamp() - start);
        }
        return latencies;
    }

    /// <summary>The length of the whole response, once its headers have arrived.</summary>
    private static int LengthOf(ReadOnlySpan<byte> response)
    {
        var end = response.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return int.MaxValue;
        if (!response.StartsWith("HTTP/1.1 200"u8))
            throw new InvalidOperationException(Encoding.UTF8.GetString(response));
        var length = response[(response.IndexOf("Content-Length: "u8) + "Content-Length: "u8.Length)..];
        return end + 4 + int.Parse(length[..length.IndexOf("\r\n"u8)], CultureInfo.InvariantCulture);
    }
}

/// <summary>Reviews per second, and the 99th percentile of the response times.</summary>
internal readonly record struct LoadResult(double PerSecond, TimeSpan P99);
