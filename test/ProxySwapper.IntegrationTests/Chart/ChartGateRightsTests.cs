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
        Assert.That(RolesThat("patch", objects).Where(name => name != $"{HelmChart.Release}-switch"), Is.EquivalentTo(Accounts()));
        var fence = objects.Single(item =>
            (string)item["kind"]! == "ValidatingAdmissionPolicy" && (string)item["metadata"]!["name"]! == HelmChart.Release
        );
        foreach (var account in Accounts())
            Assert.That(
                (string?)fence["spec"]!["matchConditions"]![0]!["expression"],
                Does.Contain($"'system:serviceaccount:{HelmChart.Release}:{account}'")
            );

        static string[] Accounts() => [HelmChart.Release, $"{HelmChart.Release}-uninstall"];
    }

    /// <summary>Kubernetes has scheduling gates since 1.27, so there is nothing to release before.</summary>
    [TestCase("1.22.0")]
    [TestCase("1.26.9")]
    [TestCase("1.27.0", HelmChart.Release, $"{HelmChart.Release}-switch", $"{HelmChart.Release}-uninstall")]
    public async Task No_account_may_patch_pods_where_kubernetes_has_no_scheduling_gates(string version, params string[] roles)
    {
        var objects = await HelmChart.ObjectsAsync(
            HelmChart.ValueSet("default"),
            "--kube-version",
            version,
            "--set",
            "rbac.switchRole=true"
        );
        Assert.That(RolesThat("patch", objects), Is.EquivalentTo(roles));
        // A cluster that is upgraded to 1.27 has the hook of the release as it was rendered: disable looks for gated Pods there.
        Assert.That(RolesThat("list", objects), Is.SupersetOf(new[] { $"{HelmChart.Release}-switch", $"{HelmChart.Release}-uninstall" }));
    }

    [TestCase("policy", "config.populate.policy=none,rbac.gates=false", "list", "watch")]
    [TestCase("policy", "config.populate.policy=none", "list", "watch", "patch")]
    [TestCase("default", "config.populate.policy=none,rbac.gates=false")]
    public async Task Pods_that_an_admission_policy_rewrote_can_be_counted_without_population(
        string set,
        string values,
        params string[] verbs
    )
    {
        var objects = await HelmChart.ObjectsAsync(
            HelmChart.ValueSet(set),
            [.. values.Split(',').SelectMany(value => new[] { "--set", value })]
        );
        JsonObject? Named(string kind) =>
            objects.SingleOrDefault(item => (string)item["kind"]! == kind && (string)item["metadata"]!["name"]! == HelmChart.Release);
        var pods = Named("ClusterRole")?["rules"]![0]!;
        Assert.That(pods?["verbs"]!.AsArray().Select(verb => (string)verb!) ?? [], Is.EqualTo(verbs));
        Assert.That((string?)pods?["resources"]![0], Is.EqualTo(verbs.Length > 0 ? "pods" : null));
        Assert.That(
            Named("ClusterRole")?["rules"]!.AsArray().Count ?? 0,
            Is.EqualTo(Math.Max(0, verbs.Length - 1)),
            "Events with patch only"
        );
        Assert.That(Named("ClusterRoleBinding") is not null, Is.EqualTo(verbs.Length > 0));
    }

    /// <summary>The ClusterRoles that allow a verb for Pods.</summary>
    private static IEnumerable<string> RolesThat(string verb, IEnumerable<JsonNode> objects) =>
        objects
            .Where(item => (string)item["kind"]! == "ClusterRole")
            .Where(role =>
                role["rules"]!
                    .AsArray()
                    .Any(rule =>
                        rule!["resources"]!.ToJsonString() == """["pods"]"""
                        && rule["verbs"]!.AsArray().Any(allowed => (string)allowed! == verb)
                    )
            )
            .Select(role => (string)role["metadata"]!["name"]!);
}
