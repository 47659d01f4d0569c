using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>
/// The built program with the environment of its image and the heap limit that the runtime derives from the chart's memory limit.
/// </summary>
internal static class FloodedWebhook
{
    /// <summary>The chart's default limit, in bytes.</summary>
    public static long MemoryLimit { get; } = ReadMemoryLimit();

    /// <summary>What becomes of the image <c>nginx</c>.</summary>
    public const string Target = "registry.example.com/library/nginx:latest";

    /// <summary>Within this time a valid review on a new connection is answered.</summary>
    public static TimeSpan GoodTime { get; } = TimeSpan.FromSeconds(2);

    /// <summary>How long API servers wait for a webhook by default.</summary>
    private static readonly TimeSpan LongestReview = TimeSpan.FromSeconds(10);

    /// <param name="openFiles">Limit of open files; null for that of this process.</param>
    public static Task<ProxySwapperProcess> StartAsync(int? openFiles = null)
    {
        var environment = ContainerFile.Environment();
        environment["DOTNET_GCHeapHardLimit"] = (MemoryLimit * 3 / 4).ToString("X", CultureInfo.InvariantCulture);
        return ProxySwapperProcess.StartAsync("proxyUrl: registry.example.com", environment, openFiles: openFiles);
    }

    /// <summary>The largest resident memory that a process has had, in bytes.</summary>
    public static long PeakMemoryOf(ProxySwapperProcess webhook)
    {
        const string Name = "VmHWM:";
        var line = File.ReadLines($"/proc/{webhook.Id}/status").First(line => line.StartsWith(Name, StringComparison.Ordinal));
        return long.Parse(line[Name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>
    /// Measures a valid review on a new connection, in two parts, so that the server has to wait. At the same time a webhook that nobody
    /// attacks gets one: its time is subtracted, since that is what the load of this machine costs.
    /// </summary>
    public static async Task<TimeSpan> MeasureReviewAsync(ProxySwapperProcess webhook, ProxySwapperProcess undisturbed)
    {
        var times = await Task.WhenAll(ReviewAsync(webhook), ReviewAsync(undisturbed));
        Assert.That(times[0], Is.LessThan(LongestReview), "however busy this machine is");
        return times[0] - times[1];
    }

    private static async Task<TimeSpan> ReviewAsync(ProxySwapperProcess webhook)
    {
        var started = Stopwatch.GetTimestamp();
        using var client = webhook.CreateClient();
        using var content = new SlowContent(Encoding.UTF8.GetBytes(ReviewSamples.Create("nginx")));
        content.Headers.ContentType = new("application/json");
        using var response = await client.PostAsync("/mutate", content);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        var time = Stopwatch.GetElapsedTime(started);
        var patch = JsonNode.Parse(Convert.FromBase64String((string)answer["response"]!["patch"]!))!;
        Assert.That((string?)patch[0]!["value"], Is.EqualTo(Target));
        return time;
    }

    private static long ReadMemoryLimit()
    {
        var values = YamlObjects.Read(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.yaml"))).Single();
        var limit = (string)values["resources"]!["limits"]!["memory"]!;
        return long.Parse(limit.Replace("Mi", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024 * 1024;
    }

    private sealed class SlowContent(byte[] content) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(content.AsMemory(0, content.Length / 2));
            await stream.FlushAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            await stream.WriteAsync(content.AsMemory(content.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Length;
            return true;
        }
    }
}
