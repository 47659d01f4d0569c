using ProxySwapper.Configuration;
using ProxySwapper.Registry;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The rules that the chart adds for its registry caches.</summary>
[TestFixture]
internal sealed class CacheRuleTests
{
    [Test]
    public async Task Rules_of_the_caches_stand_behind_those_of_the_configuration_and_copy_nothing()
    {
        var file = (string)
            (await HelmChart.ObjectsAsync(HelmChart.ValueSet("full"))).Single(item =>
                (string?)item["kind"] == "ConfigMap" && item["data"]!["config.yaml"] is not null
            )["data"]!["config.yaml"]!;
        var rules = ConfigurationReader.ReadText("config.yaml", file, EnvironmentVariables.None).Rules;
        Assert.That(
            rules.Select(rule => $"{rule.Match} {rule.Target} {rule.Populate}"),
            Is.EqualTo(
                new[]
                {
                    "quay.io/coreos/** harbor.example.com/proxy_quay.io True",
                    "us-central1-docker.pkg.dev localhost:30026 False",
                    "docker.io localhost:30027 False",
                }
            )
        );
    }
}
