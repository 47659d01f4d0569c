using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>Releasing all gated Pods at once, on a clock that the test moves.</summary>
[TestFixture]
internal sealed class GateLifterTests
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task A_pod_whose_admission_was_in_flight_is_found_by_a_second_look()
    {
        await using var server = await InMemoryApiServer.StartAsync();
        using var client = ApiServers.Connect(server);
        var released = new List<string>();
        var run = ReleaseAllAsync(client, (pod, _, error) => released.Add($"{pod} {error}"));
        // The first look has found nothing.
        await Task.WhenAny(run, _time.WaitForTimerAsync(GateLifter.RoundInterval));
        Assert.That(run.IsCompleted, Is.False, "an empty list is not the last");
        await new ResourceClient(client, ResourceType.Pods).CreateAsync(
            "team",
            GatedPodSamples.Create("team", "late", ("nginx:1", "down.example.com/nginx:1")),
            default
        );
        await EndAsync(run);
        Assert.That(released, Is.EqualTo(["team/late "]));
        Assert.That(GatedPodSamples.GatesOf(server.FindPod("team", "late")!), Is.Empty);
        Assert.That(GatedPodSamples.ImagesOf(server.FindPod("team", "late")!), Is.EqualTo(["nginx:1"]));
    }

    [Test]
    public async Task Pods_with_another_value_of_the_label_are_released_and_images_that_users_changed_stay()
    {
        await using var server = await InMemoryApiServer.StartAsync();
        using var client = ApiServers.Connect(server);
        var pod = GatedPodSamples.Create("team", "app", ("nginx:1", "down.example.com/nginx:1"), ("redis:7", "down.example.com/redis:7"));
        pod["metadata"]!["labels"]![GatedPodSamples.Label] = "false";
        pod["spec"]!["containers"]![0]!["image"] = "other:2";
        await new ResourceClient(client, ResourceType.Pods).CreateAsync("team", pod, default);
        await EndAsync(ReleaseAllAsync(client, (_, _, _) => { }));
        var released = server.FindPod("team", "app")!;
        Assert.That(
            (GatedPodSamples.GatesOf(released).Count, released["metadata"]!["labels"]![GatedPodSamples.Label]),
            Is.EqualTo((0, (JsonNode?)null))
        );
        Assert.That(GatedPodSamples.ImagesOf(released), Is.EqualTo(["other:2", "redis:7"]));
    }

    [Test]
    public async Task Pods_whose_label_was_removed_are_released_and_pods_without_our_gate_are_left_alone()
    {
        await using var server = await InMemoryApiServer.StartAsync();
        using var client = ApiServers.Connect(server);
        var pods = new ResourceClient(client, ResourceType.Pods);
        var unlabelled = GatedPodSamples.Create("team", "app", ("nginx:1", "down.example.com/nginx:1"));
        unlabelled["metadata"]!["labels"]!.AsObject().Remove(GatedPodSamples.Label);
        await pods.CreateAsync("team", unlabelled, default);
        var foreign = GatedPodSamples.Create("team", "foreign", ("nginx:1", "down.example.com/nginx:1"));
        foreign["spec"]!["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "example.com/quota" });
        await pods.CreateAsync("team", foreign, default);
        var released = new List<string>();
        await EndAsync(ReleaseAllAsync(client, (pod, result, error) => released.Add($"{pod} {result}{error}")));
        Assert.That(released, Is.EqualTo(["team/app Restored"]));
        Assert.That(GatedPodSamples.GatesOf(server.FindPod("team", "app")!), Is.Empty);
        Assert.That(GatedPodSamples.ImagesOf(server.FindPod("team", "app")!), Is.EqualTo(["nginx:1"]));
        Assert.That(GatedPodSamples.ImagesOf(server.FindPod("team", "foreign")!), Is.EqualTo(["down.example.com/nginx:1"]));
    }

    [Test]
    public async Task A_pod_that_fails_is_tried_again()
    {
        var failures = 2;
        Assert.That(
            await ReleaseAsync(context =>
                Task.FromResult(HttpMethods.IsPatch(context.Request.Method) && Interlocked.Decrement(ref failures) >= 0)
            ),
            Is.EqualTo(("nginx:1", 0, "Restored"))
        );
    }

    [Test]
    public async Task A_list_that_fails_is_tried_again()
    {
        var lists = 0;
        Assert.That(
            await ReleaseAsync(context =>
                // The first round finds the Pod, whose release fails; the next rounds find nothing.
                Task.FromResult(
                    HttpMethods.IsGet(context.Request.Method)
                        ? Interlocked.Increment(ref lists) is > 1 and < 6
                        : HttpMethods.IsPatch(context.Request.Method) && lists < 6
                )
            ),
            Is.EqualTo(("nginx:1", 0, "Restored"))
        );
    }

    [TestCase(500, 6)]
    [TestCase(403, 1)]
    public async Task A_list_that_cannot_be_had_is_an_error_at_the_end_and_at_once_if_it_is_rejected(int status, int attempts)
    {
        var lists = 0;
        await using var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Interceptor = (context, _) =>
                {
                    lists++;
                    context.Response.StatusCode = status;
                    return Task.CompletedTask;
                },
            }
        );
        using var client = ApiServers.Connect(server);
        Assert.That(
            async () => await EndAsync(ReleaseAllAsync(client, (_, _, _) => { })),
            Throws.InstanceOf<KubernetesException>().With.Message.Contains($"HTTP {status}")
        );
        Assert.That(lists, Is.EqualTo(attempts));
    }

    [Test]
    public async Task A_pod_whose_restored_images_only_meet_internal_errors_is_released_without_them() =>
        Assert.That(
            await ReleaseAsync(async context =>
                HttpMethods.IsPatch(context.Request.Method) && (await BodyOfAsync(context)).Contains("nginx:1\"", StringComparison.Ordinal)
            ),
            Is.EqualTo(("down.example.com/nginx:1", 0, "Kept"))
        );

    [Test]
    public async Task An_error_that_stays_is_reported_once_after_all_attempts()
    {
        var (image, gates, report) = await ReleaseAsync(context => Task.FromResult(HttpMethods.IsPatch(context.Request.Method)));
        Assert.That((image, gates), Is.EqualTo(("down.example.com/nginx:1", 1)));
        Assert.That(report, Does.Contain("HTTP 500"));
    }

    /// <summary>Releases one Pod, with an internal error for some requests.</summary>
    /// <returns>Its image, its gates, and what was reported.</returns>
    private async Task<(string Image, int Gates, string Report)> ReleaseAsync(Func<HttpContext, Task<bool>> fails)
    {
        await using var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Interceptor = async (context, next) =>
                {
                    if (await fails(context))
                        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                    else
                        await next(context);
                },
            }
        );
        using var client = ApiServers.Connect(server);
        await new ResourceClient(client, ResourceType.Pods).CreateAsync(
            "team",
            GatedPodSamples.Create("team", "app", ("nginx:1", "down.example.com/nginx:1")),
            default
        );
        var reports = new List<string>();
        await EndAsync(ReleaseAllAsync(client, (_, result, error) => reports.Add($"{result}{error}")));
        var pod = server.FindPod("team", "app")!;
        return (GatedPodSamples.ImagesOf(pod).Single(), GatedPodSamples.GatesOf(pod).Count, reports.Single());
    }

    private Task ReleaseAllAsync(KubernetesClient client, Action<GatedPod, GateResult?, string?> done) =>
        new GateLifter(client, new GateReleaser(NullLogger<GateReleaser>.Instance), _time).ReleaseAllAsync(null, false, done, default);

    /// <summary>Lets time pass until the end.</summary>
    private async Task EndAsync(Task run)
    {
        await TestWait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return run.IsCompleted;
            },
            "the end"
        );
        await run;
    }

    private static async Task<string> BodyOfAsync(HttpContext context)
    {
        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        var text = await reader.ReadToEndAsync();
        context.Request.Body.Position = 0;
        return text;
    }
}
