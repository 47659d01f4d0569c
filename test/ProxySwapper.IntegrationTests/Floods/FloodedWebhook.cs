using System.Globalization;
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

    /// <summary>Within this time a valid review on a new connection has its response.</summary>
    private static readonly TimeSpan ResponseLimit = TimeSpan.FromSeconds(2);

    /// <summary>Asserts that valid reviews had their response in time, although the attacker runs on the same processors.</summary>
    public static void AssertInTime(IReadOnlyList<TimeSpan> times) => Assert.That(times, Is.All.LessThan(ResponseLimit));

    /// <summary>The times of reviews, for the output of a test.</summary>
    public static string Describe(IReadOnlyList<TimeSpan> times) =>
        $"{times.Count} reviews of {PercentileOf(times, 50).TotalMilliseconds:0} ms, nine of ten within "
        + $"{PercentileOf(times, 90).TotalMilliseconds:0} ms, slowest {times.Max().TotalMilliseconds:0} ms";

    /// <summary>The time within which so many of a hundred reviews had their response.</summary>
    private static TimeSpan PercentileOf(IReadOnlyList<TimeSpan> times, int percent) =>
        times.Order().ElementAt(((times.Count * percent) + 99) / 100 - 1);

    /// <param name="configuration">YAML, by which <c>nginx</c> becomes <see cref="Target"/> unless a test says otherwise.</param>
    /// <param name="openFiles">Limit of open files; null for that of this process.</param>
    public static Task<ProxySwapperProcess> StartAsync(string configuration = "proxyUrl: registry.example.com", int? openFiles = null)
    {
        var environment = ContainerFile.Environment();
        // In the built program, the compiler and its code take a quarter of the memory besides.
        var heap = ProxySwapperProgram.IsPublished ? MemoryLimit * 3 / 4 : MemoryLimit / 2;
        environment["DOTNET_GCHeapHardLimit"] = heap.ToString("X", CultureInfo.InvariantCulture);
        return ProxySwapperProcess.StartAsync(configuration, environment, openFiles: openFiles);
    }

    /// <summary>The largest resident memory that a process has had, in bytes.</summary>
    public static long PeakMemoryOf(ProxySwapperProcess webhook)
    {
        const string Name = "VmHWM:";
        var line = File.ReadLines($"/proc/{webhook.Id}/status").First(line => line.StartsWith(Name, StringComparison.Ordinal));
        return long.Parse(line[Name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    private static long ReadMemoryLimit()
    {
        var values = YamlObjects.Read(File.ReadAllText(Path.Combine(HelmChart.Folder, "values.yaml"))).Single();
        var limit = (string)values["resources"]!["limits"]!["memory"]!;
        return long.Parse(limit.Replace("Mi", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024 * 1024;
    }
}
