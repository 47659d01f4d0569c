using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>Gated Pods of many namespaces need the same private image, each with its own pull Secret.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class SharedImageSecretTests
{
    // puller:right
    private const string Right = "Basic cHVsbGVyOnJpZ2h0";

    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private InMemoryRegistry _upstream = null!;
    private InMemoryRegistry _downstream = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _upstream = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = RespondAsync });
        _downstream = await InMemoryRegistry.StartAsync();
        _server = await InMemoryApiServer.StartAsync();
        _client = ApiServers.Connect(_server, @namespace: "proxyswapper");
        TestImage.Create(78, 1, 100).AddTo(_upstream, "app", "1");
    }

    [TearDown]
    public async Task Stop()
    {
        _all.TrySetResult();
        _client.Dispose();
        await _server.DisposeAsync();
        await _upstream.DisposeAsync();
        await _downstream.DisposeAsync();
    }

    [TestCase(8)]
    [TestCase(20)]
    public async Task The_one_right_secret_brings_the_image_however_many_wrong_ones_were_there_first(int wrong)
    {
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = _upstream.Address, Target = $"{_downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.FromSeconds(1),
                Populate = new()
                {
                    PullSecrets = true,
                    MaxRetries = 1,
                    Gate = new() { Deadline = TimeSpan.FromMinutes(5) },
                },
            },
            cluster: _server
        );
        string[] teams = [.. Enumerable.Range(0, wrong).Select(index => $"wrong-{index}"), "right"];
        foreach (var team in teams)
        {
            await CreateAsync(team);
            await TestWait.UntilAsync(() =>
                scene.Queue.Read((running, waiting) => running.Concat(waiting).SingleOrDefault()?.Includes(team) == true)
            );
        }
        _all.SetResult();
        await TestWait.UntilAsync(() => teams.All(team => GatedPodSamples.GatesOf(_server.FindPod(team, "app")!).Count == 0));
        Assert.That(
            teams.Select(team => GatedPodSamples.ImagesOf(_server.FindPod(team, "app")!).Single()),
            Is.All.EqualTo($"{_downstream.Address}/mirror/app:1")
        );
    }

    private async Task CreateAsync(string team)
    {
        var login =
            $$"""{"auths":{"{{_upstream.Address}}":{"username":"puller","password":"{{(team == "right" ? "right" : "wrong")}}"} } }""";
        await new ResourceClient(_client, ResourceType.Secrets).CreateAsync(team, PullSecretSamples.Create("mine", login), default);
        var pod = GatedPodSamples.Create(team, "app", ($"{_upstream.Address}/app:1", $"{_downstream.Address}/mirror/app:1"));
        pod["spec"]!["imagePullSecrets"] = new JsonArray(new JsonObject { ["name"] = "mine" });
        await new ResourceClient(_client, ResourceType.Pods).CreateAsync(team, pod, default);
    }

    /// <summary>Responds once all Pods have been seen, and then only with the right login.</summary>
    private async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        await _all.Task.WaitAsync(context.RequestAborted);
        if (context.Request.Headers.Authorization == Right)
        {
            await next(context);
            return;
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"upstream\"";
    }
}
