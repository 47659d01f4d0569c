using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population;

/// <summary>A controller that deletes its Pod and creates it again, since the images are not those that it wrote.</summary>
[TestFixture]
internal sealed class RecreatedPodTests
{
    [Test]
    public async Task The_third_pod_of_a_controller_is_neither_rewritten_nor_gated_and_the_operator_is_notified_once()
    {
        await using var upstream = await InMemoryRegistry.StartAsync();
        await using var downstream = await InMemoryRegistry.StartAsync();
        await using var server = await InMemoryApiServer.StartAsync();
        await using var scene = await PopulationScene.StartAsync(
            new ProxySwapperOptions
            {
                Rules = [new() { Match = upstream.Address, Target = $"{downstream.Address}/mirror" }],
                ShutdownGracePeriod = TimeSpan.Zero,
            },
            cluster: server
        );
        var review = Review($"{upstream.Address}/team/database:1");
        for (var i = 0; i < 2; i++)
        {
            var swapped = await scene.ReviewAsync(review);
            Assert.That((swapped.Outcome, swapped.SchedulingGate), Is.EqualTo((AdmissionOutcome.Patched, "proxyswapper.io/image")));
        }
        for (var i = 0; i < 2; i++)
        {
            var left = await scene.ReviewAsync(review);
            Assert.That(
                (left.Outcome, left.HasPatch, left.SchedulingGate),
                Is.EqualTo((AdmissionOutcome.RecreatedTooOften, false, (string?)null))
            );
            var image = left.Images.Single().Decision;
            Assert.That((image.IsRewritten, image.Reason), Is.EqualTo((false, DecisionReason.RecreatedTooOften)));
            Assert.That(image.Warning, Does.Contain("team/database:1").And.Contain("left unchanged for an hour"));
        }
        await TestWait.UntilAsync(() => EventsOf(server).Count > 0, "the Event");
        var reported = EventsOf(server).Single();
        Assert.That(
            reported,
            Does.Contain("PodRecreatedTooOften").And.Contain("Database (example.com/v1)").And.Contain("team").And.Contain("db-1")
        );
    }

    private static List<string> EventsOf(InMemoryApiServer server) =>
        [
            .. server
                .Store.List(new Selection(new ApiPath("events.k8s.io/v1", "events", null, null, ""), "", ""))
                .Objects.Select(item => item.ToJsonString())
                .Where(text => text.Contains("PodRecreatedTooOften", StringComparison.Ordinal)),
        ];

    private static string Review(string image) =>
        $$"""
            {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
              "uid": "u", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": "team", "operation": "CREATE",
              "object": {
                "metadata": {"name": "db-1", "ownerReferences": [
                  {"apiVersion": "example.com/v1", "kind": "Database", "name": "db", "uid": "d", "controller": true}]},
                "spec": {"containers": [{"name": "main", "image": "{{image}}"}]}
              }
            } }
            """;
}
