using System.Globalization;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Benchmarks.Swap;

/// <summary>Everything that is promised about the webhook's speed and size, measured in one run, as a Markdown table.</summary>
internal static class SwapMeasurement
{
    private const string Command = "dotnet run -c Release --project test/ProxySwapper.Benchmarks -- swap";
    private const int Connections = 16;
    private const int Rounds = 41;
    private static readonly TimeSpan RoundDuration = TimeSpan.FromSeconds(1);

    /// <summary>A realistic configuration: a few rules and exceptions, without population.</summary>
    public const string Configuration = """
        rules:
          - match: docker.io
            target: registry.example.com/proxy_docker.io
          - match: quay.io/coreos/**
            target: registry.example.com/proxy_coreos
          - match: quay.io
            target: registry.example.com/proxy_quay.io
          - matchRegex: '^us-central1-docker\.pkg\.dev/(.*)$'
            replace: 'localhost:30026/$1'
        ignoreImages: [registry, "registry.example.com/**"]
        ignoreNamespaces: [kube-system]
        populate: {policy: none}
        """;

    /// <param name="before">An earlier published program to compare with in the same rounds, or null.</param>
    public static async Task<int> RunAsync(string? before)
    {
        var folder = Directory.CreateTempSubdirectory("proxyswapper-swap-").FullName;
        try
        {
            using var certificates = new TestCertificates();
            certificates.WriteTo(folder);
            var program = await PublishedProgram.GetAsync();
            List<Row> rows = [.. MeasureReviews()];
            rows.AddRange(await MeasureMemoryAsync(program, folder, certificates));
            rows.AddRange(await MeasureThroughputAsync(program, before, folder, certificates));
            Print(rows);
            return rows.TrueForAll(row => row.Holds) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<Row> MeasureReviews()
    {
        var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
        var configuration = ManualConfig
            .CreateEmpty()
            .AddJob(job)
            .AddLogger(NullLogger.Instance)
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance);
        foreach (var report in BenchmarkRunner.Run<ReviewBenchmarks>(configuration).Reports)
        {
            var size = report.BenchmarkCase.Parameters["KiB"];
            var allocated = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase);
            yield return new Row(
                $"one review of {size} KiB",
                Invariant($"{report.ResultStatistics!.Median:N0} ns, {allocated:N0} bytes allocated")
            );
        }
    }

    private static async Task<List<Row>> MeasureMemoryAsync(string program, string folder, TestCertificates certificates)
    {
        List<double> starts = [];
        for (var start = 0; start < 5; start++)
            using (var cold = await MeasuredServer.StartProgramAsync(program, folder))
                starts.Add(cold.ColdStart.TotalMilliseconds);
        using var server = await MeasuredServer.StartProgramAsync(program, folder);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        var idle = server.ResidentMegabytes;
        await using var load = await ReviewLoad.ConnectAsync(
            server.Port,
            ReviewSamples.OfSize(7 * 1024),
            Connections,
            certificates.HasSigned
        );
        await load.RunAsync(10_000);
        var early = server.ResidentMegabytes;
        await load.RunAsync(90_000);
        var late = server.ResidentMegabytes;
        return
        [
            new("cold start until ready", Invariant($"{Median(starts):N0} ms"), "≤ 120 ms", Median(starts) <= 120),
            new(
                "size of the published program",
                Invariant($"{new FileInfo(program).Length / 1e6:N1} MB"),
                "≤ 52 MB",
                new FileInfo(program).Length <= 52e6
            ),
            new("resident memory, idle", Invariant($"{idle:N1} MB"), "≤ 70 MB", idle <= 70),
            new("resident memory after 10,000 reviews", Invariant($"{early:N1} MB"), "≤ 76 MB", early <= 76),
            // The kernel's count varies by a few pages of code; growth would indicate a leak of even a few bytes per review.
            new(
                "resident memory after 100,000 reviews",
                Invariant($"{late:N1} MB"),
                "≤ 76 MB, no growth (within 2 %)",
                late <= 76 && late <= early * 1.02
            ),
        ];
    }

    private static async Task<List<Row>> MeasureThroughputAsync(
        string program,
        string? before,
        string folder,
        TestCertificates certificates
    )
    {
        using var server = await MeasuredServer.StartProgramAsync(program, folder);
        using var earlier = before is null ? null : await MeasuredServer.StartProgramAsync(before, folder);
        using var baseline = await MeasuredServer.StartBaselineAsync(folder);
        var review = ReviewSamples.OfSize(7 * 1024);
        await using var serverLoad = await ReviewLoad.ConnectAsync(server.Port, review, Connections, certificates.HasSigned);
        await using var baselineLoad = await ReviewLoad.ConnectAsync(baseline.Port, review, Connections, certificates.HasSigned);
        await using var earlierLoad = earlier is null
            ? null
            : await ReviewLoad.ConnectAsync(earlier.Port, review, Connections, certificates.HasSigned);
        List<(LoadResult Server, LoadResult Baseline)> rounds = [];
        List<double> ratios = [];
        // The first two rounds warm up compilers and caches.
        for (var round = -2; round < Rounds; round++)
        {
            var pair = (Baseline: await baselineLoad.RunAsync(RoundDuration), Server: await serverLoad.RunAsync(RoundDuration));
            var last = earlierLoad is null ? null : (LoadResult?)await earlierLoad.RunAsync(RoundDuration);
            if (round < 0)
                continue;
            rounds.Add((pair.Server, pair.Baseline));
            if (last is { } result)
                ratios.Add(pair.Server.PerSecond / result.PerSecond);
        }
        var throughput = Median(rounds.Select(round => round.Server.PerSecond / round.Baseline.PerSecond));
        var latency = Median(rounds.Select(round => round.Server.P99 / round.Baseline.P99));
        return
        [
            new("reviews per second", Invariant($"{Median(rounds.Select(round => round.Server.PerSecond)):N0}")),
            new("the endpoint that does nothing, per second", Invariant($"{Median(rounds.Select(round => round.Baseline.PerSecond)):N0}")),
            new("throughput as a ratio to it", Invariant($"{throughput:N2}"), "≥ 0.85", throughput >= 0.85),
            .. ratios.Count == 0 ? [] : new[] { CompareBefore(Median(ratios)) },
            new("p99", Invariant($"{Median(rounds.Select(round => round.Server.P99.TotalMilliseconds)):N1} ms")),
            new(
                "p99 of the endpoint that does nothing",
                Invariant($"{Median(rounds.Select(round => round.Baseline.P99.TotalMilliseconds)):N1} ms")
            ),
            new("p99 as a ratio to it", Invariant($"{latency:N2}"), "≤ 1.3", latency <= 1.3),
        ];
    }

    private static Row CompareBefore(double ratio) =>
        new("throughput as a ratio to the program before", Invariant($"{ratio:N2}"), "≥ 0.98", ratio >= 0.98);

    private static void Print(List<Row> rows)
    {
        Console.WriteLine(
            $"""

            Measured on {TimeProvider.System.GetUtcNow():yyyy-MM-dd} with `{Command}`:
            {Environment.ProcessorCount} processors ({ProcessorName()}), {RuntimeInformation.OSDescription},
            {RuntimeInformation.FrameworkDescription};
            client and server on one machine, TLS, {Connections} connections, reviews of 7 KiB;
            ratios are medians of {Rounds} interleaved rounds.

            | what | measured | wanted |
            |---|---|---|
            """
        );
        foreach (var row in rows)
            Console.WriteLine($"| {row.What} | {row.Measured} | {row.Wanted}{(row.Holds ? "" : " **(missed)**")} |");
    }

    private static string ProcessorName()
    {
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 2)..] ?? $"{RuntimeInformation.ProcessArchitecture}";
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[sorted.Count / 2] + sorted[(sorted.Count - 1) / 2]) / 2;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Row(string What, string Measured, string Wanted = "", bool Holds = true);
}
