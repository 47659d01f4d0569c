using ProxySwapper.Configuration;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

[TestFixture]
internal sealed class ReportBuilderTests
{
    [Test]
    public void Several_pods_of_one_controller_are_one_workload()
    {
        var builder = new ReportBuilder(RuleSet.Compile(new ProxySwapperOptions()), _ => false);
        for (var pod = 0; pod < 3; pod++)
            builder.AddPod([
                new ImageUse(
                    "sidecar:1",
                    "sidecar:1",
                    $"node-{pod}",
                    new Workload("ReplicaSet", "team", "web") { PullSecrets = ["a"] },
                    false
                ),
            ]);
        var entry = builder.Entries.Single();
        Assert.That((entry.Workloads.Count, entry.RunningOriginal, entry.Nodes), Is.EqualTo((1, 3, 3)));
    }
}
