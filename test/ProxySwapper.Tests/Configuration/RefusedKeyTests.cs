using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Configuration;

/// <summary>Keys with conflicting or impossible values are reported by line and key.</summary>
[TestFixture]
internal sealed class RefusedKeyTests
{
    private static readonly EnvironmentVariables NoEnvironment = EnvironmentVariables.None;

    [Test]
    public void A_dry_run_is_refused_where_the_api_server_swaps()
    {
        const string Text = "proxyUrl: registry.example.com\ndryRun: true\nadmissionPolicy: {name: swap}";
        var fault = Assert
            .Throws<ConfigurationException>(() => ConfigurationReader.ReadText("c.yaml", Text, NoEnvironment))!
            .Faults.Single();
        Assert.That((fault.Line, fault.Key), Is.EqualTo((2, "dryRun")));
        Assert.That(fault.Message, Does.StartWith("cannot be combined with admissionPolicy"));
    }

    [TestCase("Harbor")]
    [TestCase("team/harbor")]
    [TestCase("-harbor")]
    [TestCase("")]
    public void A_pull_secret_is_the_name_of_a_secret(string name)
    {
        var text = $"rules:\n  - match: docker.io\n    target: a.example\n    pullSecret: '{name}'";
        var fault = Assert
            .Throws<ConfigurationException>(() => ConfigurationReader.ReadText("c.yaml", text, NoEnvironment))!
            .Faults.Single();
        Assert.That((fault.Line, fault.Key), Is.EqualTo((4, "rules[0].pullSecret")));
    }
}
