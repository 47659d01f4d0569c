using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Configuration;

/// <summary>Keys with conflicting or impossible values are reported by line and key.</summary>
[TestFixture]
internal sealed class RejectedKeyTests
{
    private static readonly EnvironmentVariables NoEnvironment = EnvironmentVariables.None;

    [Test]
    public void A_dry_run_is_rejected_where_the_api_server_swaps()
    {
        const string Text = "proxyUrl: registry.example.com\ndryRun: true\nadmissionPolicy: {name: swap}";
        var fault = Assert
            .Throws<ConfigurationException>(() => ConfigurationReader.ReadText("c.yaml", Text, NoEnvironment))!
            .Faults.Single();
        Assert.That((fault.Line, fault.Key), Is.EqualTo((2, "dryRun")));
        Assert.That(fault.Message, Does.StartWith("cannot be combined with admissionPolicy"));
    }

    /// <summary>More do not fit into the chart's memory limit.</summary>
    [TestCase(200, 0)]
    [TestCase(201, 1)]
    public void At_most_200_rules_have_regular_expressions(int rules, int faults)
    {
        var text = "rules:\n" + string.Concat(Enumerable.Range(0, rules).Select(Rule));
        var result = Record(() => ConfigurationReader.ReadText("c.yaml", text, NoEnvironment));
        Assert.That(result.Select(fault => (fault.Line, fault.Key)), Is.EqualTo(Enumerable.Repeat((402, "rules[200].matchRegex"), faults)));
        Assert.That(result.Select(fault => fault.Message), Is.All.StartWith("at most 200 rules can have matchRegex"));

        static string Rule(int number) => $"  - matchRegex: 'quay\\.io/team{number}/(.*)'\n    replace: r.example/team{number}/$1\n";
        static IReadOnlyList<ConfigurationFault> Record(Action read)
        {
            try
            {
                read();
                return [];
            }
            catch (ConfigurationException exception)
            {
                return exception.Faults;
            }
        }
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
