using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>The registries, rules and finished images of <c>/populate</c>, from the program's own parts.</summary>
[TestFixture]
internal sealed class PopulationSummaryTests
{
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private bool _isClosed;

    [SetUp]
    public async Task Start()
    {
        _isClosed = false;
        _upstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, registry) =>
                {
                    context.Response.Headers["ratelimit-limit"] = "100;w=21600";
                    context.Response.Headers["ratelimit-remaining"] = "76;w=21600";
                    return registry(context);
                },
            }
        );
        _downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, registry) =>
                {
                    if (!_isClosed)
                        return registry(context);
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return Task.CompletedTask;
                },
            }
        );
        TestImage.Create(311, 2, 1000).AddTo(_upstream, "team/app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [Test]
    public async Task Names_registries_with_their_access_pulls_that_remain_rules_and_what_was_finished()
    {
        await using var scene = await StartAsync();
        scene.Queue.TryEnqueue(
            new CopyWork(
                ImageReference.Parse($"{_upstream.Address}/team/app:1"),
                ImageReference.Parse($"{_downstream.Address}/mirror/team/app:1"),
                []
            ),
            new("team", "app", "default", [])
        );
        await TestWait.UntilAsync(() => scene.Queue.Known.Count == 1, "the copy");
        await TestWait.UntilAsync(() => StateOf(scene).CheckedAt is not null, "the look at the downstream");
        var json = await scene.ReadStateAsync();
        Assert.Multiple(() =>
        {
            Assert.That(
                Shape(json["downstreams"]!),
                Is.EqualTo($$"""[{"registry":"{{_downstream.Address}}","state":"ok","access":"granted"}]""")
            );
            Assert.That(
                Shape(json["rateLimits"]!),
                Is.EqualTo($$"""[{"registry":"{{_upstream.Address}}","remaining":76,"limit":100,"windowSeconds":21600}]""")
            );
            var rule = json["rules"]![0]!;
            Assert.That(
                ((string?)rule["match"], (string?)rule["target"], (string?)rule["namespaces"]![0], (bool?)rule["populate"]),
                Is.EqualTo((_upstream.Address, $"{_downstream.Address}/mirror", "team", true))
            );
            Assert.That((string?)json["finished"]![0]!["target"], Is.EqualTo($"{_downstream.Address}/mirror/team/app:1"));
            Assert.That((string?)json["finished"]![0]!["result"], Is.EqualTo("copied"));
            Assert.That((string?)json["replica"], Is.EqualTo(scene.Get<KubernetesAccess>().PodName));
            Assert.That((string?)json["version"], Does.Match(@"^\d+\.\d+\.\d+"));
            Assert.That(json["gate"]!.ToJsonString(), Is.EqualTo("""{"deadlineSeconds":60,"onFailure":"restore"}"""));
        });
    }

    [Test]
    public async Task A_downstream_that_denies_us_access_says_so_before_and_when_it_counts_as_failing()
    {
        _isClosed = true;
        await using var scene = await StartAsync();
        await TestWait.UntilAsync(() => StateOf(scene).LastFailure is not null, "the first rejection");
        var first = (await scene.ReadStateAsync())["downstreams"]![0]!;
        Assert.That(
            ((string?)first["state"], (string?)first["access"]),
            Is.EqualTo(("unsure", "refused")).Or.EqualTo(("failing", "refused"))
        );
        Assert.That((string?)first["problem"], Does.Contain("it rejects our login"));
        await TestWait.UntilAsync(() => StateOf(scene).Failure is not null, "the third rejection");
        Assert.That((string?)(await scene.ReadStateAsync())["downstreams"]![0]!["state"], Is.EqualTo("failing"));
    }

    [Test]
    public async Task Every_field_is_reported_in_the_manual()
    {
        await using var scene = await StartAsync();
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs", "page.md"));
        Assert.That(
            (await scene.ReadStateAsync())
                .AsObject()
                .Select(field => field.Key)
                .Where(key => !page.Contains($"`{key}`", StringComparison.Ordinal)),
            Is.Empty
        );
    }

    private Task<PopulationScene> StartAsync() =>
        PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules =
                [
                    new()
                    {
                        Match = _upstream.Address,
                        Target = $"{_downstream.Address}/mirror",
                        Namespaces = ["team"],
                    },
                ],
                ProxyHealth = new() { Interval = TimeSpan.FromMilliseconds(200) },
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
            }
        );

    private static DownstreamState StateOf(PopulationScene scene) =>
        scene.Get<DownstreamHealth>().Snapshot().SingleOrDefault() ?? new(default, null, null, DownstreamAccess.Unknown, null);

    /// <summary>Without times.</summary>
    private static string Shape(JsonNode list)
    {
        foreach (var item in list.AsArray())
        foreach (var time in new[] { "at", "checkedAt" })
            item!.AsObject().Remove(time);
        return list.ToJsonString();
    }
}
