using System.Text.Json.Nodes;

namespace ProxySwapper.Tests.Population;

/// <content>Updates of Pods, for which the webhook is called with <c>webhook.podUpdates</c>.</content>
internal sealed partial class PodGatingTests
{
    [Test]
    public async Task An_update_adds_no_gate()
    {
        await using var scene = await StartAsync();
        var review = JsonNode.Parse(Review("{}", "{}"))!;
        review["request"]!["operation"] = "UPDATE";
        review["request"]!["oldObject"] = JsonNode.Parse(Review("{}", "{}").Replace("app", "old", StringComparison.Ordinal))!["request"]![
            "object"
        ]!.DeepClone();
        var decision = await scene.ReviewAsync(review.ToJsonString());
        Assert.That((IsGated(decision), Swapped(decision)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_gated_pod_keeps_its_new_images_in_annotations_also_when_an_update_changes_them()
    {
        await using var scene = await StartAsync();
        var created = await scene.ReviewAsync(Review("{}", "{}"));
        Assert.That(created.Annotations, Is.EqualTo([KeyValuePair.Create(GatedImage, $"{Downstream.Address}/mirror/app:1")]));
        var review = JsonNode.Parse(Review("""{"schedulingGates":[{"name":"proxyswapper.io/image"}]}""", "{}"))!;
        var (request, before) = (review["request"]!, review["request"]!["object"]!.DeepClone());
        request["operation"] = "UPDATE";
        request["oldObject"] = before;
        request["object"]!["spec"]!["containers"]![0]!["image"] = $"{Upstream.Address}/app:2";
        var updated = await scene.ReviewAsync(review.ToJsonString());
        Assert.That(updated.Annotations, Is.EqualTo([KeyValuePair.Create(GatedImage, $"{Downstream.Address}/mirror/app:2")]));
        before["spec"]!.AsObject().Remove("schedulingGates");
        request["object"]!["spec"]!.AsObject().Remove("schedulingGates");
        Assert.That((await scene.ReviewAsync(review.ToJsonString())).Annotations, Is.Empty, "of a Pod without a gate");
    }

    [TestCase(262_000, false)]
    [TestCase(261_000, true)]
    public async Task An_update_of_a_gated_pod_changes_an_image_only_with_room_for_the_annotation_that_has_it_waited_for(
        int size,
        bool isSwapped
    )
    {
        await using var scene = await StartAsync();
        var metadata = new JsonObject
        {
            ["annotations"] = new JsonObject { ["x"] = new string('x', size), [GatedImage] = $"{Downstream.Address}/mirror/app:1" },
        };
        var review = JsonNode.Parse(Review("""{"schedulingGates":[{"name":"proxyswapper.io/image"}]}""", metadata.ToJsonString()))!;
        var request = review["request"]!;
        request["operation"] = "UPDATE";
        request["oldObject"] = request["object"]!.DeepClone();
        request["object"]!["spec"]!["containers"]![0]!["image"] = $"{Upstream.Address}/app:2";
        var decision = await scene.ReviewAsync(review.ToJsonString());
        Assert.That((Swapped(decision), decision.Annotations.Length), Is.EqualTo((isSwapped, isSwapped ? 1 : 0)));
        scene.Queue.Known.Remember($"{Downstream.Address}/mirror/app:2", TimeSpan.FromHours(1));
        Assert.That(Swapped(await scene.ReviewAsync(review.ToJsonString())), Is.True, "what is downstream need not be waited for");
    }
}
