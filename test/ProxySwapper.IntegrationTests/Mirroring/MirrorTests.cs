using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Mirroring;

/// <summary><c>proxyswapper mirror</c> between real registries.</summary>
[TestFixture, NeedsServer]
internal sealed class MirrorTests
{
    private static readonly string[] SourceTags = ["1.0.0", "1.1.0", "1.2.0-rc.1", "1.10.0", "latest", "20240101"];

    private DebianRegistry _source = null!;
    private DebianRegistry _target = null!;
    private TestImage _multi = null!;
    private string _folder = "";

    [SetUp]
    public async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory().FullName;
        (_source, _target) = (await DebianRegistry.StartAsync(), await DebianRegistry.StartAsync());
        _multi = TestImage.Create(100, 1, 2000, "amd64", "arm64");
        foreach (var (index, tag) in SourceTags.Index())
            await TestImage.Create(index, 1, 2000).PushAsync(_source.Address, "team/app", tag);
        await _multi.PushAsync(_source.Address, "team/app", "1.11.0");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCase("highest", "1.11.0")]
    [TestCase("higher", "")]
    [TestCase("higher, higher-from: 1.1.0", "1.1.0 1.10.0 1.11.0")]
    [TestCase("semver", "1.0.0 1.1.0 1.10.0 1.11.0")]
    [TestCase("semver, allow-prerelease: true", "1.0.0 1.1.0 1.10.0 1.11.0 1.2.0-rc.1")]
    [TestCase("all", "1.0.0 1.1.0 1.10.0 1.11.0 1.2.0-rc.1 20240101 latest")]
    public async Task Every_mode_leaves_its_tags_and_a_second_pass_has_nothing_to_do(string mode, string tags)
    {
        var first = await MirrorAsync(Image($"mode: {mode}"));
        Assert.That((first.ExitCode, string.Join(' ', await TagsAsync("mirror/app"))), Is.EqualTo((0, tags)), first.Output + first.Error);
        var report = await ReportAsync(Image($"mode: {mode}"));
        Assert.That(((int)report["copied"]!, (int)report["failed"]!), Is.EqualTo((0, 0)));
        if (tags.Contains("1.11.0", StringComparison.Ordinal))
            Assert.That(
                await Skopeo.RunAsync("inspect", "--raw", "--tls-verify=false", $"docker://{_target.Address}/mirror/app:1.11.0"),
                Is.EqualTo(System.Text.Encoding.UTF8.GetString(_multi.Top.Bytes.Span))
            );
    }

    [Test]
    public async Task Debug_logs_the_decision_on_each_tag_and_each_request()
    {
        var (exitCode, output, error) = await MirrorAsync(Image("mode: highest"), "--debug");
        Assert.That(exitCode, Is.Zero, output + error);
        foreach (var tag in SourceTags)
            Assert.That(error, Does.Contain($"{_source.Address}/team/app:{tag} left out by mode "));
        Assert.That(error, Does.Contain($"{_source.Address}/team/app:1.11.0 selected"));
        Assert.That(
            error,
            Does.Contain($"GET http://{_source.Address}/v2/team/app/tags/list: HTTP 200")
                .And.Contain($"PUT http://{_target.Address}/v2/mirror/app/manifests/1.11.0: HTTP 201")
        );
    }

    [Test]
    public async Task Higher_says_why_an_empty_destination_stays_empty() =>
        Assert.That((await MirrorAsync(Image("mode: higher"))).Output, Does.Contain("skipped").And.Contain("higher-from"));

    [Test]
    public async Task A_tag_on_both_sides_is_replaced_at_the_destination_only_when_requested_and_never_at_the_source()
    {
        await MirrorAsync(Image("mode: all"));
        var newer = TestImage.Create(500, 1, 2000);
        await newer.PushAsync(_source.Address, "team/app", "latest");
        var without = await ReportAsync(Image("mode: all"));
        var before = await DigestAsync(_target, "mirror/app:latest");
        var with = await ReportAsync(Image("mode: all, replace-tag: true"));
        Assert.Multiple(async () =>
        {
            Assert.That(((int)without["copied"]! + (int)without["replaced"]!, (int)with["replaced"]!), Is.EqualTo((0, 1)));
            Assert.That(before, Is.Not.EqualTo(newer.Top.Digest.ToString()));
            Assert.That(await DigestAsync(_target, "mirror/app:latest"), Is.EqualTo(newer.Top.Digest.ToString()));
            Assert.That(await DigestAsync(_source, "team/app:latest"), Is.EqualTo(newer.Top.Digest.ToString()));
        });
    }

    [Test]
    public async Task A_dry_run_prints_what_a_run_then_copies()
    {
        var dry = await MirrorAsync(Image("mode: semver"), "--dry-run");
        Assert.That(await TagsAsync("mirror/app"), Is.Empty);
        var run = await MirrorAsync(Image("mode: semver"));
        Assert.That(TagsOf(dry.Output, "would copy"), Is.EquivalentTo(TagsOf(run.Output, "copied")).And.Count.EqualTo(4));
        Assert.That(
            dry.Output,
            Does.Match(
                @"REPOSITORY +WOULD COPY +UP TO DATE +SKIPPED +FAILED
\S+/team/app +4 +0 +0 +0
"
            )
        );
        Assert.That(
            run.Output,
            Does.Match(
                @"REPOSITORY +COPIED +UP TO DATE +SKIPPED +FAILED +BYTES
\S+/team/app +4 +0 +0 +0 +\S+ .?i?B
4 copied;"
            )
        );
    }

    [Test]
    public async Task Shards_together_cover_everything_once()
    {
        var copied = new List<string>();
        for (var index = 0; index < 3; index++)
            copied.AddRange(TagsOf((await MirrorAsync(Image("mode: all"), "--shard", $"{index}/3")).Output, "copied"));
        Assert.That(copied, Is.Unique);
        Assert.That(await TagsAsync("mirror/app"), Has.Count.EqualTo(7));
    }

    [Test]
    public async Task One_image_that_fails_does_not_stop_the_others_unless_it_is_requested()
    {
        var entries = Enumerable
            .Range(0, 10)
            .Select(index =>
                index == 0
                    ? $"  bad: {{source: '{_source.Address}/team/missing', destination: '{_target.Address}/bad'}}"
                    : $"  a{index}: {{source: '{_source.Address}/team/app', destination: '{_target.Address}/copy{index}'}}"
            );
        var file = "images:\n" + string.Join('\n', entries);
        var stopped = await MirrorAsync(file, "--exit-on-error", "--parallel", "1");
        var whole = await MirrorAsync(file);
        Assert.Multiple(() =>
        {
            Assert.That((stopped.ExitCode, whole.ExitCode), Is.EqualTo((1, 1)));
            Assert.That(stopped.Output, Does.Contain("left"));
            Assert.That(whole.Output, Does.Contain("1 failed").And.Contain("team/missing").And.Contain("404"));
        });
        for (var index = 1; index < 10; index++)
            Assert.That(await TagsAsync($"copy{index}"), Is.EqualTo(new[] { "1.11.0" }));
    }

    [Test]
    public async Task A_registry_that_responds_429_for_a_while_is_waited_for()
    {
        await using var limited = await FaultyRegistry.StartAsync();
        TestImage.Create(1).AddTo(limited.Registry, "team/app", "1.0.0");
        limited.Next(
            HttpMethod.Head,
            ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind.Manifest,
            RegistryFaults.TooManyRequests("1"),
            RegistryFaults.TooManyRequests("1")
        );
        var (exitCode, output, error) = await MirrorAsync(
            $"images: {{app: {{source: '{limited.Address}/team/app', destination: '{_target.Address}/mirror/app'}}}}"
        );
        Assert.That(
            (exitCode, await TagsAsync("mirror/app")),
            Is.EqualTo((0, new[] { "1.0.0" }))
                .Using<(int, IEnumerable<string>)>((left, right) => left.Item1 == right.Item1 && left.Item2.SequenceEqual(right.Item2)),
            output + error
        );
    }

    [Test]
    public async Task SIGTERM_abandons_cleanly_prints_the_summary_and_a_second_run_continues()
    {
        await using var slow = await FaultyRegistry.StartAsync();
        for (var index = 0; index < 20; index++)
            TestImage.Create(index).AddTo(slow.Registry, "team/app", $"1.{index}.0");
        var served = 0;
        var hold = new TaskCompletionSource();
        slow.Always(
            (_, kind) => kind == ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind.Blob,
            async (context, registry) =>
            {
                if (Interlocked.Increment(ref served) > 12)
                    await hold.Task.WaitAsync(context.RequestAborted);
                await registry(context);
            }
        );
        var file = Path.Combine(_folder, "slow.yaml");
        await File.WriteAllTextAsync(
            file,
            $"images: {{app: {{source: '{slow.Address}/team/app', destination: '{_target.Address}/mirror/app', mode: all}}}}"
        );
        using var process = ProxySwapperProgram.Start(["mirror", "-c", file]);
        await TestWait.UntilAsync(() => served > 14, "copies under way");
        process.Signal(PosixSignal.SIGTERM);
        var exitCode = await process.WaitForExitAsync();
        Assert.That((exitCode, process.Output.Contains("left", StringComparison.Ordinal)), Is.EqualTo((1, true)), process.Output);
        var before = (await TagsAsync("mirror/app")).Count;
        slow.RemoveFaults();
        hold.SetResult();
        var second = await ProxySwapperProgram.RunAsync(["mirror", "-c", file]);
        Assert.That((second.ExitCode, before < 20, (await TagsAsync("mirror/app")).Count), Is.EqualTo((0, true, 20)), second.Output);
    }

    [Test]
    public async Task A_file_with_faults_is_rejected_before_the_first_request()
    {
        var (exitCode, _, error) = await MirrorAsync("images: {a: {source: x, destination: UPPER, mode: fastest}}\nnonsense: 1");
        Assert.That((exitCode, error.Trim().Split('\n').Length), Is.EqualTo((2, 3)), error);
    }

    [Test]
    public async Task Two_names_of_one_variable_that_differ_are_rejected()
    {
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(
            ["mirror"],
            ("REPLICANT_CONFIG_FILE", "/a.yaml"),
            ("PROXYSWAPPER_MIRROR_CONFIG_FILE", "/b.yaml")
        );
        Assert.That((exitCode, error.Contains("its old name", StringComparison.Ordinal)), Is.EqualTo((2, true)), error);
    }

    private string Image(string settings) =>
        $"images: {{app: {{source: '{_source.Address}/team/app', destination: '{_target.Address}/mirror/app', {settings}}}}}";

    private async Task<(int ExitCode, string Output, string Error)> MirrorAsync(string text, params string[] arguments)
    {
        var file = Path.Combine(_folder, "replicant.yaml");
        await File.WriteAllTextAsync(file, text);
        return await ProxySwapperProgram.RunAsync(["mirror", .. arguments], ("REPLICANT_CONFIG_FILE", file));
    }

    private async Task<JsonNode> ReportAsync(string text)
    {
        var file = Path.Combine(_folder, "report.json");
        await MirrorAsync(text, "--report", file);
        return JsonNode.Parse(await File.ReadAllTextAsync(file))!;
    }

    private async Task<IReadOnlyList<string>> TagsAsync(string repository)
    {
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri($"http://{_target.Address}/v2/{repository}/tags/list"));
        return response.IsSuccessStatusCode
            ?
            [
                .. JsonNode.Parse(await response.Content.ReadAsStringAsync())!["tags"]!
                    .AsArray()
                    .Select(tag => (string)tag!)
                    .Order(StringComparer.Ordinal),
            ]
            : [];
    }

    private static List<string> TagsOf(string output, string word) =>
        [
            .. output
                .Split('\n')
                .Where(line => line.StartsWith(word, StringComparison.Ordinal))
                .Select(line => line[word.Length..].Trim().Split(' ')[0].Split(':')[^1]),
        ];

    private static async Task<string> DigestAsync(DebianRegistry registry, string image) =>
        (await Skopeo.RunAsync("inspect", "--format", "{{.Digest}}", "--tls-verify=false", $"docker://{registry.Address}/{image}")).Trim();
}
