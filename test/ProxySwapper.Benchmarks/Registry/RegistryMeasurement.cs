using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using static ProxySwapper.Benchmarks.Measurement;

namespace ProxySwapper.Benchmarks.Registry;

/// <summary>
/// <c>proxyswapper copy</c> and other programs that copy images, between real registries: wall time of the whole process with a near and
/// a distant registry, peak memory, and the number of requests.
/// </summary>
internal static class RegistryMeasurement
{
    public const string Name = "registry";
    private const int LargeRounds = 5;
    private const int SmallRounds = 9;
    private const int FarLargeRounds = 3;
    private const int FarSmallRounds = 5;
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    public static async Task<int> RunAsync()
    {
        var tools = CopyTool.All(await PublishedProgram.GetAsync());
        await using var source = await DebianRegistry.StartAsync();
        await TestImage.Create(1, layers: 6, layerSize: 100 * GeneratedImage.MiB).PushAsync(source.Address, "large", "1");
        await TestImage.Create(2, layers: 60, layerSize: 20_000).PushAsync(source.Address, "small", "1");
        List<Measurement> rows =
        [
            .. await MeasureTimeAsync(tools, source, "large", "6 layers of 100 MiB", null, LargeRounds),
            .. await MeasureTimeAsync(tools, source, "small", "60 layers of 20 kB", null, SmallRounds),
            .. await MeasureTimeAsync(tools, source, "large", "6 layers of 100 MiB, far", RoundTrip, FarLargeRounds),
            .. await MeasureTimeAsync(tools, source, "small", "60 layers of 20 kB, far", RoundTrip, FarSmallRounds),
            .. await MeasureRequestsAsync(tools, source),
            await MeasureMemoryAsync(tools),
        ];
        return Print(
            Name,
            $"""
            registries (Debian's docker-registry) and programs on one machine, no TLS.
            Each time is that of a whole process with a target registry of its own; ratios are medians of interleaved rounds.
            Far: source and target each behind a proxy that adds {RoundTrip.TotalMilliseconds:0} ms to a round trip,
            half of it in each direction, and a round trip to a connection.
            """,
            rows
        );
    }

    /// <summary>
    /// A new registry for each copy, so that content left by one program, or a cache of the host (skopeo keeps one across processes), does
    /// not help another.
    /// </summary>
    private static async Task<IEnumerable<Measurement>> MeasureTimeAsync(
        IReadOnlyList<CopyTool> tools,
        DebianRegistry source,
        string image,
        string what,
        TimeSpan? roundTrip,
        int rounds
    )
    {
        await using var farSource = roundTrip is { } there ? new DelayingProxy(source.Address, there) : null;
        var times = tools.ToDictionary(tool => tool.Name, _ => new List<double>());
        // The first round only warms up the machine's caches.
        for (var round = -1; round < rounds; round++)
            foreach (var tool in round % 2 == 0 ? tools : tools.Reverse())
            {
                await using var target = await DebianRegistry.StartAsync();
                await using var farTarget = roundTrip is { } back ? new DelayingProxy(target.Address, back) : null;
                var run = await tool.CopyAsync(
                    $"{farSource?.Address ?? source.Address}/{image}:1",
                    $"{farTarget?.Address ?? target.Address}/copied/{image}:1"
                );
                if (round >= 0)
                    times[tool.Name].Add(run.Duration.TotalMilliseconds);
            }
        var own = times[tools[0].Name];
        return tools
            .Skip(1)
            .Select(tool =>
                Ratio(
                    $"{what}: time as a ratio to {tool.Name}",
                    Median(own.Zip(times[tool.Name], (ours, theirs) => ours / theirs)),
                    1.0,
                    Invariant($" ({Median(own):N0} ms, {tool.Name} {Median(times[tool.Name]):N0} ms)")
                )
            );
    }

    private static async Task<IEnumerable<Measurement>> MeasureRequestsAsync(IReadOnlyList<CopyTool> tools, DebianRegistry source)
    {
        List<Measurement> rows = [];
        foreach (var tool in tools)
        {
            await using var target = await DebianRegistry.StartAsync();
            var (here, there) = ($"{source.Address}/small:1", $"{target.Address}/{tool.Name}/small:1");
            var log = new RequestLog(source, target);
            var full = await log.CountAsync(() => tool.CopyAsync(here, there));
            var upToDate = await log.CountAsync(() => tool.CopyAsync(here, there));
            var mounted = await log.CountAsync(() => tool.CopyAsync(there, $"{target.Address}/{tool.Name}/mounted:1"));
            var isOurs = tool == tools[0];
            rows.Add(
                new Measurement(
                    $"requests of {tool.Name} for 61 blobs: a copy, a copy within one host, nothing to do",
                    $"{full}, {mounted}, {upToDate}",
                    isOurs ? "…, …, 2" : "",
                    !isOurs || upToDate == 2
                )
            );
        }
        return rows;
    }

    private static async Task<Measurement> MeasureMemoryAsync(IReadOnlyList<CopyTool> tools)
    {
        var small = await PeakAsync(tools[0], layerMegabytes: 10);
        // The runtime recompiles hot methods, which short runs do not reach: this run separates that effect from the image's size.
        var medium = await PeakAsync(tools[0], layerMegabytes: 100);
        var large = await PeakAsync(tools[0], layerMegabytes: 1024);
        return Ratio(
            "peak memory for 6 GiB as a ratio to that for 60 MiB",
            large / small,
            1.1,
            Invariant($" ({large:N0} MB, {small:N0} MB; for 600 MiB {medium:N0} MB)")
        );
    }

    private static async Task<double> PeakAsync(CopyTool tool, int layerMegabytes)
    {
        await using var source = await GeneratedImage.StartAsync(6, layerMegabytes);
        await using var target = await DebianRegistry.StartAsync();
        return (await tool.CopyAsync(source.Reference, $"{target.Address}/copied/generated:1", watchesMemory: true)).PeakMegabytes;
    }
}
