using System.Text.Json;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Population.Cluster;

[TestFixture]
internal sealed class ListedPodTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string OtherDigest = "sha256:d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26";

    private static readonly RuleSet Rules = RuleSet.Compile(
        new() { Rules = [new() { Match = "docker.io", Target = "down.example.com/hub" }] }
    );

    [Test]
    public void All_images_of_a_pod_are_read_with_their_originals()
    {
        using var document = JsonDocument.Parse(
            """
            {"metadata":{"name":"web","namespace":"team","uid":"u","annotations":{
               "original-image.proxyswapper.io/app":"nginx:1","original-image.proxyswapper.io/first":"busybox",
               "original-image.volume.proxyswapper.io/data":"team/data:2"}},
             "spec":{"serviceAccountName":"runner","imagePullSecrets":[{"name":"key"},{}],
               "initContainers":[{"name":"first","image":"down.example.com/hub/library/busybox:latest"}],
               "containers":[{"name":"app","image":"down.example.com/hub/library/nginx:1","imagePullPolicy":"Always"},
                 {"name":"side","image":"quay.io/a/b:1"},{"name":"none"}],
               "ephemeralContainers":[{"name":"debug","image":"quay.io/a/debug:1"}],
               "volumes":[{"name":"data","image":{"reference":"down.example.com/hub/team/data:2"}},{"name":"tmp","emptyDir":{}}]},
             "status":{"phase":"Pending"}}
            """
        );
        var pod = ListedPod.Read(document.RootElement);
        Assert.That(
            (pod.Origin.Namespace, pod.Origin.Name, pod.Origin.ServiceAccount, pod.Origin.PullSecrets.Single(), pod.Uid, pod.IsStarted),
            Is.EqualTo(("team", "web", "runner", "key", "u", false))
        );
        Assert.That(
            pod.Images,
            Is.EqualTo(
                new ListedImage[]
                {
                    new("down.example.com/hub/library/busybox:latest", "busybox", false),
                    new("down.example.com/hub/library/nginx:1", "nginx:1", true),
                    new("quay.io/a/b:1", null, false),
                    new("quay.io/a/debug:1", null, false) { IsEphemeral = true },
                    new("down.example.com/hub/team/data:2", "team/data:2", false),
                }
            )
        );
    }

    [Test]
    public void What_the_pod_says_its_image_was_counts_where_the_rules_send_it_there()
    {
        var decision = ListedPod.DecisionOf("down.example.com/hub/library/nginx:1", "nginx:1", "team", Rules);
        Assert.That((decision.Source!.ToString(), decision.Rule), Is.EqualTo(("docker.io/library/nginx:1", "rules[0]")));
    }

    [TestCase("down.example.com/hub/library/nginx:1@")]
    [TestCase("down.example.com/hub/library/nginx@")]
    public void A_digest_that_was_added_to_the_image_is_looked_for_and_copied(string final)
    {
        var decision = ListedPod.DecisionOf(final + Digest, "nginx:1", "team", Rules);
        Assert.That(
            (decision.Source!.ToString(), decision.Target!.ToString()),
            Is.EqualTo(($"docker.io/library/nginx@{Digest}", $"down.example.com/hub/library/nginx@{Digest}"))
        );
    }

    [TestCase("old.example.com/library/nginx:1", "nginx:1")]
    [TestCase($"down.example.com/hub/library/nginx:2@{Digest}", "nginx:1")]
    [TestCase($"down.example.com/hub/library/other@{Digest}", "nginx:1")]
    [TestCase($"down.example.com/hub/library/nginx@{Digest}", $"nginx@{OtherDigest}")]
    [TestCase("down.example.com/hub/library/nginx:1", "evil/nginx:1")]
    public void An_annotation_has_no_image_copied_to_where_no_rule_sends_it(string final, string original) =>
        Assert.That(ListedPod.DecisionOf(final, original, "team", Rules).Target, Is.Null);

    [Test]
    public void An_image_that_no_rule_took_is_decided_on_as_at_admission() =>
        Assert.That(ListedPod.DecisionOf("quay.io/a/b:1", null, "team", Rules).Reason, Is.EqualTo(DecisionReason.NoRule));
}
