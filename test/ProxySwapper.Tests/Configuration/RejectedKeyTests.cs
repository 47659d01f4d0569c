using System.Globalization;
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
    }

    /// <summary>Equal ones are in memory once.</summary>
    [TestCase(20, "(.*)-{0}/(.*)", null)]
    [TestCase(21, "(.*)-{0}/(.*)", "rules[20].matchRegex")]
    [TestCase(30, "(.*)-1/(.*)", null)]
    [TestCase(30, "[a-z]+-{0}/(.*)", null)]
    [TestCase(
        8,
        "(.*)-{0}/(.*)[klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno]"
            + "[klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno]",
        null
    )]
    [TestCase(
        9,
        "(.*)-{0}/(.*)[klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno]"
            + "[klmno][klmno][klmno][klmno][klmno][klmno][klmno][klmno]",
        "rules[8].matchRegex"
    )]
    public void Few_regular_expressions_need_an_automaton(int rules, string pattern, string? key)
    {
        var text = string.Concat(
            Enumerable
                .Range(0, rules)
                .Select(number => string.Format(CultureInfo.InvariantCulture, pattern, number))
                .Select(regex => $"  - {{matchRegex: '{regex}', replace: r.example/x/$1, allowSharedTarget: true}}\n")
        );
        AssertOneFault("rules:\n" + text, key, rules + 1, "at most 20 different regular expressions, of 1500 characters together, ");
    }

    [TestCase(75, null)]
    [TestCase(76, "rules[19].matchRegex")]
    public void The_length_of_those_that_need_an_automaton_is_that_of_what_is_written(int length, string? key)
    {
        var text = string.Concat(
            Enumerable
                .Range(0, 20)
                .Select(number => $"(.*)/(.*){number}".PadRight(length, 'a'))
                .Select(regex => $"  - {{matchRegex: '{regex}', replace: r.example/x/$1, allowSharedTarget: true}}\n")
        );
        AssertOneFault("rules:\n" + text, key, 21, "at most 20 different regular expressions, of 1500 characters together, ");
    }

    [TestCase(20, null)]
    [TestCase(21, "populate.proxyCaches[20].regexURL")]
    public void Those_of_proxy_caches_count(int caches, string? key)
    {
        var text = string.Concat(
            Enumerable
                .Range(0, caches)
                .Select(number => $"    - {{regexURL: '^h{number}/(.*)/(.*)', replacementOCI: 'https://h.example/v2/$1/manifests/$2'}}\n")
        );
        AssertOneFault("populate:\n  proxyCaches:\n" + text, key, caches + 2, "at most 20 different regular expressions, ");
    }

    [Test]
    public void An_automaton_has_a_short_expression()
    {
        var text = $"rules:\n  - {{matchRegex: '(.*)/(.*){new string('a', 1000)}', replace: r.example/x/$1, allowSharedTarget: true}}";
        AssertOneFault(text, "rules[0].matchRegex", 2, "must be at most 1000 characters long, ");
        AssertOneFault(text.Replace("(.*)/(.*)", "(b*)/", StringComparison.Ordinal), null, 0, "");
        AssertOneFault(
            text.Replace(new string('a', 1000), new string('é', 167), StringComparison.Ordinal),
            "rules[0].matchRegex",
            2,
            "must "
        );
    }

    private static void AssertOneFault(string text, string? key, int line, string message)
    {
        var faults = Record(() => ConfigurationReader.ReadText("c.yaml", text, NoEnvironment));
        Assert.That(faults.Select(fault => (fault.Key, fault.Line)), Is.EqualTo(key is null ? [] : new[] { (key, line) }));
        Assert.That(faults.Select(fault => fault.Message), Is.All.StartWith(message));
    }

    private static IReadOnlyList<ConfigurationFault> Record(Action read)
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
