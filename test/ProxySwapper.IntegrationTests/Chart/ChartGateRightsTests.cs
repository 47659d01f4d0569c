using System.Text.Json.Nodes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The chart's permissions to release gated Pods, whatever <c>populate.policy</c> and <c>webhook.mode</c> are.</summary>
[TestFixture]
internal sealed class ChartGateRightsTests
{
    [TestCase("populate-none")]
    [TestCase("populate-without-reconciling")]
    [TestCase("policy")]
    [TestCase("default")]
    public async Task What_patches_pods_is_fenced_and_pods_gated_by_an_earlier_policy_can_be_released(string set)
    {
        var objects = await HelmChart.ObjectsAsync(HelmChart.ValueSet(set));
        var patching = objects
            .Where(item => (string)item["kind"]! == "ClusterRole")
            .Where(role => role["rules"]!.AsArray().Any(rule => IsPatchOfPods(rule!)))
            .Select(role => (string)role["metadata"]!["name"]!);
        Assert.That(patching.Where(name => name != $"{HelmChart.Release}-switch"), Is.EquivalentTo(Accounts()));
        var fence = objects.Single(item =>
            (string)item["kind"]! == "ValidatingAdmissionPolicy" && (string)item["metadata"]!["name"]! == HelmChart.Release
        );
        foreach (var account in Accounts())
            Assert.That(
                (string?)fence["spec"]!["matchConditions"]![0]!["expression"],
                Does.Contain($"'system:serviceaccount:{HelmChart.Release}:{account}'")
            );

        static bool IsPatchOfPods(JsonNode rule) =>
            rule["resources"]!.ToJsonString() == """["pods"]""" && rule["verbs"]!.AsArray().Any(verb => (string)verb! == "patch");
        static string[] Accounts() => [HelmChart.Release, $"{HelmChart.Release}-uninstall"];
    }
}
