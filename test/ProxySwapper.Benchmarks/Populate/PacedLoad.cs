using System.Net.Http.Headers;
using System.Text;

namespace ProxySwapper.Benchmarks.Populate;

/// <summary>Reviews sent at even intervals, whether or not the previous one has its response, as Pods are created in a cluster.</summary>
internal static class PacedLoad
{
    /// <summary>Posts the reviews.</summary>
    /// <returns>The time from sending each review to the end of its response.</returns>
    public static async Task<TimeSpan[]> RunAsync(HttpClient client, int count, TimeSpan duration, Func<int, string> review)
    {
        var bodies = Enumerable.Range(0, count).Select(index => Encoding.UTF8.GetBytes(review(index))).ToList();
        var started = TimeProvider.System.GetTimestamp();
        var responses = new Task<TimeSpan>[count];
        for (var index = 0; index < count; index++)
        {
            var due = duration * index / count;
            var pause = due - TimeProvider.System.GetElapsedTime(started);
            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, TimeProvider.System);
            responses[index] = PostAsync(client, bodies[index]);
        }
        return await Task.WhenAll(responses);
    }

    /// <summary>The 99th percentile.</summary>
    public static TimeSpan P99(IReadOnlyCollection<TimeSpan> times) => times.Order().ElementAt(times.Count * 99 / 100);

    private static async Task<TimeSpan> PostAsync(HttpClient client, byte[] body)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await client.PostAsync(new Uri("/mutate", UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return TimeProvider.System.GetElapsedTime(started);
    }
}
