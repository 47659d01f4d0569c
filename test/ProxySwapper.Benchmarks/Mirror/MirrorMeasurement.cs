using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using static ProxySwapper.Benchmarks.Measurement;

namespace ProxySwapper.Benchmarks.Mirror;

/// <summary>
/// <c>proxyswapper mirror</c> and <c>skopeo sync</c> between real registries: a run with nothing to do, and a first run.
/// </summary>
internal static class MirrorMeasurement
{
    public const string Name = "mirror";
    private const int Tags = 1000;
    private const int Images = 50;
    private const int UpToDateRounds = 3;
    private const int FirstPassRounds = 5;

    public static async Task<int> RunAsync()
    {
        var program = await PublishedProgram.GetAsync();
        using var folder = new TemporaryFolder();
        await using var source = await DebianRegistry.StartAsync();
        List<Measurement> rows =
        [
            .. await MeasureUpToDateAsync(program, folder, source),
            .. await MeasureFirstPassAsync(program, folder, source),
        ];
        return Print(
            Name,
            "registries (Debian's docker-registry) and programs on one machine, no TLS; ratios are medians of interleaved rounds.",
            rows
        );
    }

    private static async Task<IEnumerable<Measurement>> MeasureUpToDateAsync(string program, TemporaryFolder folder, DebianRegistry source)
    {
        await using var target = await DebianRegistry.StartAsync();
        foreach (var registry in new[] { source, target })
            await Parallel.ForAsync(
                0,
                Tags,
                async (index, _) =>
                    await TestImage.Create(index, layers: 1, layerSize: 1000).PushAsync(registry.Address, "team/app", $"1.0.{index}")
            );
        var asReplicant = MirrorFile(
            folder,
            "all.yaml",
            [$"app: {{source: {source.Address}/team/app, destination: {target.Address}/team/app, mode: all}}"]
        );
        var comparing = MirrorFile(
            folder,
            "replace.yaml",
            [$"app: {{source: {source.Address}/team/app, destination: {target.Address}/team/app, mode: all, replace-tag: true}}"]
        );
        List<(double Ours, double Comparing, double Theirs)> rounds = [];
        for (var round = -1; round < UpToDateRounds; round++)
        {
            var times = (
                await MirrorAsync(program, asReplicant),
                await MirrorAsync(program, comparing),
                await SyncAsync("docker", $"{source.Address}/team/app", $"{target.Address}/team")
            );
            if (round >= 0)
                rounds.Add(times);
        }
        var (there, here) = (new RequestLog(target), new RequestLog(source));
        var (ours, atSource) = (0, 0);
        atSource = await here.CountAsync(async () => ours = await there.CountAsync(() => MirrorAsync(program, asReplicant)));
        var both = new RequestLog(source, target);
        return
        [
            Ratio(
                $"an up-to-date pass over {Tags:N0} tags as a ratio to skopeo sync",
                Median(rounds.Select(round => round.Ours / round.Theirs)),
                1.0,
                Invariant($" ({Median(rounds.Select(round => round.Ours)):N0} ms, {Median(rounds.Select(round => round.Theirs)):N0} ms)")
            ),
            Ratio(
                "the same with replace-tag, which compares every digest as skopeo does",
                Median(rounds.Select(round => round.Comparing / round.Theirs)),
                1.0,
                Invariant($" ({Median(rounds.Select(round => round.Comparing)):N0} ms)")
            ),
            new(
                "its requests at the target and at the source",
                $"{ours}, {atSource}",
                $"≤ {Tags + 1}, 1",
                ours <= Tags + 1 && atSource == 1
            ),
            new(
                "requests with replace-tag, of skopeo sync",
                $"{await both.CountAsync(() => MirrorAsync(program, comparing))}, "
                    + $"{await both.CountAsync(() => SyncAsync("docker", $"{source.Address}/team/app", $"{target.Address}/team"))}"
            ),
        ];
    }

    private static async Task<IEnumerable<Measurement>> MeasureFirstPassAsync(string program, TemporaryFolder folder, DebianRegistry source)
    {
        await Parallel.ForAsync(
            0,
            Images,
            async (index, _) =>
                await TestImage.Create(5000 + index, layers: 3, layerSize: 100_000).PushAsync(source.Address, $"many/app{index}", "1.0.0")
        );
        var list = folder.PathOf("sync.yaml");
        await File.WriteAllLinesAsync(
            list,
            [
                $"{source.Address}:",
                "  tls-verify: false",
                "  images:",
                .. Enumerable.Range(0, Images).Select(index => $"    many/app{index}: [\"1.0.0\"]"),
            ]
        );
        List<(double Ours, double Theirs)> rounds = [];
        var (ours, theirs) = (0, 0);
        for (var round = -1; round < FirstPassRounds; round++)
        {
            await using var own = await DebianRegistry.StartAsync();
            await using var other = await DebianRegistry.StartAsync();
            var file = MirrorFile(
                folder,
                "first.yaml",
                Enumerable
                    .Range(0, Images)
                    .Select(index =>
                        $"app{index}: {{source: {source.Address}/many/app{index}, destination: {own.Address}/many/app{index}, mode: all}}"
                    )
            );
            var times = (Ours: 0.0, Theirs: 0.0);
            theirs = await new RequestLog(source, other).CountAsync(async () =>
                times.Theirs = await SyncAsync("yaml", list, $"{other.Address}/many")
            );
            ours = await new RequestLog(source, own).CountAsync(async () => times.Ours = await MirrorAsync(program, file));
            if (round >= 0)
                rounds.Add(times);
        }
        return
        [
            Ratio(
                $"a first pass over {Images} small images as a ratio to skopeo sync",
                Median(rounds.Select(round => round.Ours / round.Theirs)),
                1.0,
                Invariant($" ({Median(rounds.Select(round => round.Ours)):N0} ms, {Median(rounds.Select(round => round.Theirs)):N0} ms)")
            ),
            new("its requests, those of skopeo sync", $"{ours}, {theirs}"),
        ];
    }

    private static string MirrorFile(TemporaryFolder folder, string name, IEnumerable<string> images)
    {
        var file = folder.PathOf(name);
        File.WriteAllLines(file, ["images:", .. images.Select(image => $"  {image}")]);
        return file;
    }

    private static async Task<double> MirrorAsync(string program, string file) =>
        (await ToolRun.MeasureAsync(program, ["mirror", "-c", file])).Duration.TotalMilliseconds;

    private static async Task<double> SyncAsync(string kind, string source, string target) =>
        (
            await ToolRun.MeasureAsync(
                "skopeo",
                [
                    "--insecure-policy",
                    "sync",
                    "--all",
                    "--src",
                    kind,
                    "--dest",
                    "docker",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                    source,
                    target,
                ]
            )
        )
            .Duration
            .TotalMilliseconds;
}
