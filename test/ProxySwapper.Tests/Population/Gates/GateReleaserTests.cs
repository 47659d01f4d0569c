using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Gates;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Population.Gates;

/// <summary>A gated Pod and every way in which an API server can reject its release.</summary>
[TestFixture]
internal sealed class GateReleaserTests
{
    private const string Original = "nginx:1";
    private const string Target = "down.example.com/library/nginx:1";

    private static readonly ReleasePlan AllPresent = new(null, _ => true);
    private static readonly ReleasePlan NonePresent = new("not there", _ => false);

    private Func<HttpContext, Task<int?>> _rejection = _ => Task.FromResult<int?>(null);
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _rejection = _ => Task.FromResult<int?>(null);
        _server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Interceptor = async (context, next) =>
                {
                    context.Request.EnableBuffering();
                    if (await _rejection(context) is not { } status)
                    {
                        await next(context);
                        return;
                    }
                    context.Response.StatusCode = status;
                    await context.Response.WriteAsync("""{"kind":"Status","message":"rejected by the test","reason":"Other"}""");
                },
            }
        );
        _client = ApiServers.Connect(_server);
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task A_pod_whose_images_are_downstream_only_loses_gate_and_label()
    {
        var pod = await CreateAsync();
        Assert.That((await ReleaseAsync(pod, AllPresent)).Result, Is.EqualTo(GateResult.Released));
        var now = Now();
        Assert.That((GatedPodSamples.GatesOf(now).Count, GatedPodSamples.ImagesOf(now).Single()), Is.EqualTo((0, Target)));
        Assert.That(now["metadata"]!["labels"]!.AsObject().Select(label => label.Key), Is.EqualTo(["k8s-proxy-image-swapper"]));
        Assert.That((string?)now["metadata"]!["annotations"]!["original-image.proxyswapper.io/c0"], Is.EqualTo(Original));
    }

    [Test]
    public async Task A_pod_whose_image_is_missing_is_released_with_its_original_and_the_reason()
    {
        var pod = await CreateAsync();
        var outcome = await ReleaseAsync(pod, NonePresent);
        Assert.That((outcome.Result, outcome.Restored.Count), Is.EqualTo((GateResult.Restored, 1)));
        var now = Now();
        Assert.That((GatedPodSamples.GatesOf(now).Count, GatedPodSamples.ImagesOf(now).Single()), Is.EqualTo((0, Original)));
        Assert.That(
            now["metadata"]!["annotations"]!.AsObject().Select(pair => (pair.Key, (string?)pair.Value)),
            Is.EquivalentTo([("gated-image.proxyswapper.io/c0", Target), (GatedPodSamples.LeftOriginal, (string?)"not there")])
        );
    }

    [Test]
    public async Task Only_missing_images_are_restored()
    {
        var pod = await CreateAsync(("busybox", "down.example.com/library/busybox:latest"));
        await ReleaseAsync(pod, new ReleasePlan("not there", image => image == Target));
        Assert.That(GatedPodSamples.ImagesOf(Now()), Is.EqualTo([Target, "busybox"]));
    }

    [Test]
    public async Task With_keep_the_images_stay()
    {
        var pod = await CreateAsync();
        Assert.That((await ReleaseAsync(pod, NonePresent with { KeepsImages = true })).Result, Is.EqualTo(GateResult.Kept));
        Assert.That(GatedPodSamples.ImagesOf(Now()).Single(), Is.EqualTo(Target));
    }

    [Test]
    public async Task A_digest_that_was_copied_can_be_pinned()
    {
        var pod = await CreateAsync();
        await ReleaseAsync(pod, AllPresent with { Pin = image => image + "@sha256:abc" });
        Assert.That(GatedPodSamples.ImagesOf(Now()).Single(), Is.EqualTo(Target + "@sha256:abc"));
    }

    [Test]
    public async Task Gates_of_others_stay_whatever_their_position()
    {
        foreach (var isFirst in new[] { true, false })
        {
            var body = GatedPodSamples.Create("team", $"app-{isFirst}".ToLowerInvariant(), (Original, Target));
            body["spec"]!["schedulingGates"]!.AsArray().Insert(isFirst ? 0 : 1, new JsonObject { ["name"] = "example.com/x" });
            var pod = await PostAsync(body);
            await ReleaseAsync(pod, AllPresent);
            Assert.That(GatedPodSamples.GatesOf(Now(pod.Name)), Is.EqualTo(["example.com/x"]));
        }
    }

    [Test]
    public async Task A_gate_that_moved_since_the_pod_was_seen_is_found_again()
    {
        var body = GatedPodSamples.Create("team", "app", (Original, Target));
        body["spec"]!["schedulingGates"]!.AsArray().Insert(0, new JsonObject { ["name"] = "example.com/x" });
        var pod = await PostAsync(body);
        await PatchAsync(new JsonObject { ["op"] = "remove", ["path"] = "/spec/schedulingGates/0" });
        Assert.That((await ReleaseAsync(pod, AllPresent)).Result, Is.EqualTo(GateResult.Released));
        Assert.That(GatedPodSamples.GatesOf(Now()), Is.Empty);
    }

    [Test]
    public async Task A_removed_label_does_not_prevent_the_release()
    {
        var pod = await CreateAsync();
        await PatchAsync(new JsonObject { ["op"] = "remove", ["path"] = "/metadata/labels/proxyswapper.io~1gated" });
        Assert.That((await ReleaseAsync(pod, AllPresent)).Result, Is.EqualTo(GateResult.Released));
    }

    [Test]
    public async Task An_image_that_was_changed_meanwhile_is_not_restored()
    {
        var pod = await CreateAsync();
        await PatchAsync(
            new JsonObject
            {
                ["op"] = "replace",
                ["path"] = "/spec/containers/0/image",
                ["value"] = "other:2",
            }
        );
        await ReleaseAsync(pod, NonePresent);
        Assert.That((GatedPodSamples.GatesOf(Now()).Count, GatedPodSamples.ImagesOf(Now()).Single()), Is.EqualTo((0, "other:2")));
    }

    [Test]
    public async Task Of_two_that_release_a_pod_one_learns_that_the_other_did()
    {
        var pod = await CreateAsync();
        var results = await Task.WhenAll(ReleaseAsync(pod, NonePresent), ReleaseAsync(pod, NonePresent));
        Assert.That(results.Select(outcome => outcome.Result), Is.EquivalentTo([GateResult.Restored, GateResult.LiftedByOthers]));
    }

    [Test]
    public async Task A_pod_that_is_gone_or_another_one_of_that_name_is_not_touched()
    {
        var pod = await CreateAsync();
        await new ResourceClient(_client, ResourceType.Pods).DeleteAsync("team", "app", null, default);
        Assert.That((await ReleaseAsync(pod, NonePresent)).Result, Is.EqualTo(GateResult.Gone));
        await CreateAsync();
        Assert.That((await ReleaseAsync(pod, NonePresent)).Result, Is.EqualTo(GateResult.Gone));
        Assert.That(GatedPodSamples.GatesOf(Now()), Has.Count.EqualTo(1));
    }

    [TestCase(400)]
    [TestCase(403)]
    [TestCase(422)]
    public async Task If_originals_cannot_be_restored_only_the_gate_is_lifted(int status)
    {
        var pod = await CreateAsync();
        _rejection = async context => (await BodyOfAsync(context)).Contains("\"replace\"", StringComparison.Ordinal) ? status : null;
        Assert.That((await ReleaseAsync(pod, NonePresent)).Result, Is.EqualTo(GateResult.Kept));
        Assert.That((GatedPodSamples.GatesOf(Now()).Count, GatedPodSamples.ImagesOf(Now()).Single()), Is.EqualTo((0, Target)));
    }

    [Test]
    public async Task A_conflict_is_retried()
    {
        var pod = await CreateAsync();
        var conflicts = 2;
        _rejection = async context =>
            (await BodyOfAsync(context)).Contains("remove", StringComparison.Ordinal) && conflicts-- > 0 ? 409 : null;
        Assert.That((await ReleaseAsync(pod, NonePresent)).Result, Is.EqualTo(GateResult.Restored));
    }

    [Test]
    public async Task A_rejected_release_is_an_error()
    {
        var pod = await CreateAsync();
        _server.Denied["patch pods"] = true;
        Assert.That(
            async () => await ReleaseAsync(pod, AllPresent),
            Throws.InstanceOf<KubernetesException>().With.Property(nameof(KubernetesException.Status)).EqualTo(HttpStatusCode.Forbidden)
        );
    }

    private Task<ReleaseOutcome> ReleaseAsync(GatedPod pod, ReleasePlan plan) =>
        new GateReleaser(NullLogger<GateReleaser>.Instance).ReleaseAsync(new PodClient(_client), pod, plan, default);

    private Task<GatedPod> CreateAsync(params (string Original, string Target)[] more) =>
        PostAsync(GatedPodSamples.Create("team", "app", [(Original, Target), .. more]));

    private async Task<GatedPod> PostAsync(JsonObject body)
    {
        var created = await new ResourceClient(_client, ResourceType.Pods).CreateAsync("team", body, default);
        using var document = JsonDocument.Parse(created.ToJsonString());
        return GatedPod.Read(document.RootElement)!;
    }

    private Task<JsonObject> PatchAsync(JsonObject operation) =>
        new PodClient(_client).PatchAsync("team", "app", new JsonArray(operation), "somebody", default);

    private JsonObject Now(string name = "app") => _server.FindPod("team", name)!;

    private static async Task<string> BodyOfAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        var text = await reader.ReadToEndAsync();
        context.Request.Body.Position = 0;
        return text;
    }
}
