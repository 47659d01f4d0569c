using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;
using static ProxySwapper.IntegrationTests.Chart.ChartObjects;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The chart's NetworkPolicies: one for each Pod, and the clouds' metadata only for those that need it.</summary>
[TestFixture]
internal sealed class NetworkPolicyTests
{
    private static readonly string Values = SourceTree.PathOf(
        "test",
        "ProxySwapper.IntegrationTests",
        "testdata",
        "chart",
        "values",
        "network-policies.yaml"
    );

    [Test]
    public async Task Every_Pod_of_the_chart_has_one()
    {
        var objects = await HelmChart.ObjectsAsync(Values);
        var selectors = objects.Where(IsPolicy).Select(policy => policy["spec"]!["podSelector"]!["matchLabels"]!.AsObject()).ToList();
        var pods = objects.Select(PodOf).OfType<JsonNode>().ToList();
        Assert.That(pods, Has.Count.EqualTo(6), "webhook, two caches, mirror, test and uninstall");
        foreach (var pod in pods)
            Assert.That(selectors.Count(selector => Selects(selector, pod)), Is.EqualTo(1), pod["metadata"]!["labels"]!.ToJsonString());
    }

    // The mirror writes to ECR, and one cache has S3 without a Secret.
    [TestCase("auto", "mirror", "registry-cache-quay")]
    [TestCase("deny")]
    [TestCase("allow", "mirror", "registry-cache-hub", "registry-cache-quay", "webhook")]
    public async Task The_metadata_of_clouds_is_for_Pods_that_need_it(string mode, params string[] components)
    {
        var policies = (await HelmChart.ObjectsAsync(Values, "--set", $"networkPolicy.cloudMetadata={mode}")).Where(IsPolicy);
        Assert.That(policies.Where(ReachesMetadata).Select(ComponentOf).Order(), Is.EqualTo(components));
    }

    [TestCase("proxyUrl=123456789012.dkr.ecr.eu-west-1.amazonaws.com")]
    [TestCase("cloudIdentity.azure.clientId=id")]
    public async Task The_webhook_needs_it_for_a_registry_or_an_identity_of_a_cloud(string value)
    {
        var policies = (await HelmChart.ObjectsAsync(Values, "--set", value)).Where(IsPolicy);
        Assert.That(policies.Where(ReachesMetadata).Select(ComponentOf), Has.Member("webhook"));
    }

    [TestCase("{create: true}", true)]
    [TestCase("{create: false, name: ours}", false)]
    public async Task An_identity_of_the_mirror_alone_is_no_reason_for_the_webhook(string account, bool expected)
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("identity.yaml");
        await File.WriteAllTextAsync(
            file,
            $$"""
            serviceAccount: {{account}}
            cloudIdentity:
              aws: {roleArn: "arn:aws:iam::123456789012:role/mirror"}
            """
        );
        var policies = (await HelmChart.ObjectsAsync(Values, "-f", file)).Where(IsPolicy);
        Assert.That(policies.Where(ReachesMetadata).Select(ComponentOf), expected ? Has.Member("webhook") : Has.No.Member("webhook"));
    }

    [Test]
    public async Task The_test_may_ask_the_management_port_whoever_else_may()
    {
        var policies = (await HelmChart.ObjectsAsync(Values)).Where(IsPolicy).ToDictionary(ComponentOf);
        Assert.That(policies["webhook"]["spec"]!["ingress"]!.ToJsonString(), Does.Contain("\"app.kubernetes.io/component\":\"test\""));
        Assert.That(policies["test"]["spec"]!["egress"]!.ToJsonString(), Does.Contain("9090"));
    }

    private static bool IsPolicy(JsonObject item) => (string?)item["kind"] == "NetworkPolicy";

    private static string ComponentOf(JsonObject item) => (string)item["metadata"]!["labels"]!["app.kubernetes.io/component"]!;

    /// <summary>Whether a rule allows the port of the metadata services to any address.</summary>
    private static bool ReachesMetadata(JsonObject policy) =>
        policy["spec"]!["egress"]!
            .AsArray()
            .Any(rule => rule!["to"] is null && rule["ports"]!.AsArray().Any(port => port!["port"]!.ToJsonString() == "80"));

    private static JsonNode? PodOf(JsonObject item) =>
        (string?)item["kind"] switch
        {
            "Pod" => item,
            "Deployment" or "DaemonSet" or "StatefulSet" or "Job" => item["spec"]!["template"],
            "CronJob" => item["spec"]!["jobTemplate"]!["spec"]!["template"],
            _ => null,
        };
}
