using System.Globalization;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Benchmarks.Populate;

/// <summary>
/// Admission while images are copied: 1,000 Pods with 200 images in 10 seconds with 2 workers, from one real registry to another, compared
/// with the same 1,000 reviews as dry runs, which get the same responses and copy nothing. The webhook and its client share one processor
/// and the registries have the other: with all of them on both, even an idle webhook would be as slow as one that copies. The first round,
/// in which the code for copies is compiled, is reported separately.
/// </summary>
internal static class PopulateMeasurement
{
    private const string Command = "dotnet run -c Release --project test/ProxySwapper.Benchmarks -- populate";
    private const int Images = 200;
    private const int Pods = 1000;
    private const int Rounds = 6;
    private const int AdmissionProcessor = 0;
    private const int RegistriesProcessor = 1;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync()
    {
        Environment.SetEnvironmentVariable(ProxySwapperProgram.Variable, await PublishedProgram.GetAsync());
        await using var upstream = await DebianRegistry.StartAsync();
        await using var downstream = await DebianRegistry.StartAsync();
        for (var round = 0; round < Rounds; round++)
            await Parallel.ForAsync(
                0,
                Images,
                async (index, _) =>
                    await TestImage
                        .Create((round + 1) * 1000 + index, layers: 3, layerSize: 100_000, "amd64")
                        .PushAsync(upstream.Address, $"round{round}/app{index}", "1")
            );
        await using var program = await ProxySwapperProcess.StartAsync(
            $$"""
            rules: [{match: "{{upstream.Address}}", target: "{{downstream.Address}}"}]
            populate: {maxNumberOfParallelJobs: 2}
            logLevel: warning
            """,
            ContainerFile.Environment()
        );
        // Registries usually run on other machines: here each side has its own processor.
        foreach (var registry in new[] { upstream, downstream })
            await PinAsync(registry.Id, RegistriesProcessor);
        foreach (var process in new[] { program.Id, Environment.ProcessId })
            await PinAsync(process, AdmissionProcessor);
        using var client = program.CreateClient();
        await PacedLoad.RunAsync(client, 500, TimeSpan.FromSeconds(3), index => Review(upstream, 0, index, isDryRun: true));
        using var memory = new MemoryWatch(program.Id);
        var before = memory.Now;
        List<Round> rounds = [];
        for (var round = 0; round < Rounds; round++)
        {
            var idle = await PacedLoad.RunAsync(client, Pods, Duration, index => Review(upstream, round, index, isDryRun: true));
            var started = TimeProvider.System.GetTimestamp();
            var copying = await PacedLoad.RunAsync(client, Pods, Duration, index => Review(upstream, round, index, isDryRun: false));
            await TestWait.UntilAsync(async () => await KnownAsync(program) == (round + 1) * Images, "all images downstream");
            rounds.Add(new(idle, copying, TimeProvider.System.GetElapsedTime(started)));
        }
        var peak = await memory.StopAsync();
        var copies = CopiesOf(downstream);
        var (first, measured) = (rounds[0], rounds[1..]);
        var (idleP99, copyingP99) = (
            PacedLoad.P99([.. measured.SelectMany(round => round.Idle)]),
            PacedLoad.P99([.. measured.SelectMany(round => round.Copying)])
        );
        var ratio = copyingP99 / idleP99;
        List<Row> rows =
        [
            new("p99 of an admission, nothing copied", Invariant($"{idleP99.TotalMilliseconds:N2} ms")),
            new("p99 of an admission, 200 images being copied", Invariant($"{copyingP99.TotalMilliseconds:N2} ms")),
            new("as a ratio", Invariant($"{ratio:N2}"), "≤ 1.5", ratio <= 1.5),
            new(
                "the same in the first seconds of the process",
                Invariant($"{PacedLoad.P99(first.Idle).TotalMilliseconds:N2} ms, {PacedLoad.P99(first.Copying).TotalMilliseconds:N2} ms")
            ),
            new(
                $"images copied, of {Images} in each of {Rounds} rounds",
                Invariant($"{copies.Count}"),
                Invariant($"{Rounds * Images}"),
                copies.Count == Rounds * Images
            ),
            new(
                "times that an image was copied, at the most",
                Invariant($"{copies.Values.DefaultIfEmpty().Max()}"),
                "1",
                copies.Values.All(times => times == 1)
            ),
            new("from the first Pod to the last image", Invariant($"{measured.Average(round => round.Drained.TotalSeconds):N1} s")),
            new("resident memory before, and the peak", Invariant($"{before:N0} MB, {peak:N0} MB"), "≤ 1.5 times", peak <= before * 1.5),
        ];
        Console.WriteLine($"\n`{Command}`\n\n| what | measured | promised |\n|---|---|---|");
        foreach (var row in rows)
            Console.WriteLine($"| {row.What} | {row.Measured}{(row.Holds ? "" : " **(not kept)**")} | {row.Promised} |");
        return rows.TrueForAll(row => row.Holds) ? 0 : 1;
    }

    /// <summary>Pins a process, with all its current and future threads, to one processor.</summary>
    private static async Task PinAsync(int process, int processor)
    {
        var (exitCode, _, error) = await TestProcess.RunAsync(
            "taskset",
            ["--all-tasks", "--cpu-list", "--pid", Invariant($"{processor}"), Invariant($"{process}")]
        );
        if (exitCode != 0)
            throw new InvalidOperationException($"no processor {processor} for process {process}: {error}");
    }

    private static string Review(DebianRegistry upstream, int round, int index, bool isDryRun)
    {
        var review = JsonNode.Parse(ReviewSamples.Create($"{upstream.Address}/round{round}/app{index % Images}:1"))!;
        review["request"]!["dryRun"] = isDryRun;
        return review.ToJsonString();
    }

    private static async Task<int> KnownAsync(ProxySwapperProcess program) =>
        (int)JsonNode.Parse(await program.Management.GetStringAsync(new Uri("/populate", UriKind.Relative)))!["known"]!;

    /// <summary>How often each image's tag was written, according to the registry's access log.</summary>
    private static Dictionary<string, int> CopiesOf(DebianRegistry downstream) =>
        downstream
            .Output.Split('\n')
            .Select(line =>
                line.IndexOf("\"PUT /v2/round", StringComparison.Ordinal) is >= 0 and var start
                && line.Contains("/manifests/1 ", StringComparison.Ordinal)
                    ? line[start..].Split(' ')[1]
                    : ""
            )
            .Where(path => path.Length > 0)
            .CountBy(path => path)
            .ToDictionary();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Round(TimeSpan[] Idle, TimeSpan[] Copying, TimeSpan Drained);

    private sealed record Row(string What, string Measured, string Promised = "", bool Holds = true);
}
