using System.Text;

namespace ProxySwapper.Tests.AdmissionPolicies;

[TestFixture]
internal sealed class PolicyCompilerTests
{
    [Test]
    public void Twenty_rules_with_wildcards_are_split_into_variables_within_the_cost_limit()
    {
        var compiled = PolicyText.Compile(Rules(20, "*.r{0}.example/**/app-*"));
        var decisions = compiled
            .Policy.Variables.Where(variable => variable.Name.StartsWith("decisions", StringComparison.Ordinal))
            .ToList();
        Assert.Multiple(() =>
        {
            Assert.That(compiled.Refusals, Is.Empty);
            Assert.That(decisions, Has.Count.GreaterThan(1));
            Assert.That(decisions.Select(variable => Occurrences(variable.Expression, ".matches(")), Is.All.LessThanOrEqualTo(14));
            Assert.That(decisions.Sum(variable => Occurrences(variable.Expression, ".matches(")), Is.EqualTo(20));
        });
    }

    [Test]
    public void A_thousand_registries_are_a_policy_and_no_variable_has_more_than_a_hundred()
    {
        var compiled = PolicyText.Compile(Rules(1000, "r{0}.example"));
        Assert.That(compiled.Refusals, Is.Empty);
        Assert.That(
            compiled.Policy.Variables.Select(variable => Occurrences(variable.Expression, "    ? ")),
            Is.All.LessThanOrEqualTo(100)
        );
    }

    [Test]
    public void Rules_that_cost_more_than_the_api_server_allows_are_refused_with_the_figures()
    {
        var refusal = PolicyText.Compile(Rules(400, "*.r{0}.example/**/app-*")).Refusals.Single();
        Assert.Multiple(() =>
        {
            Assert.That(refusal.Key, Is.EqualTo("rules"));
            Assert.That(refusal.Reason, Does.StartWith("too many for a policy").And.Contain("60 images").And.Contain("9,000,000"));
        });
    }

    [TestCase("dryRun: true\nproxyUrl: r.example", "dryRun", "has no dry run")]
    [TestCase(
        "rules:\n  - {match: quay.io, target: s.example}\n  - {match: docker.io, target: r.example, pullSecret: r}",
        "rules[1].pullSecret",
        "added by the webhook alone"
    )]
    public void What_a_policy_cannot_express_is_refused_by_key(string configuration, string key, string reason)
    {
        var refusal = PolicyText.Compile(configuration).Refusals.Single();
        Assert.That(refusal.Key, Is.EqualTo(key));
        Assert.That(refusal.Reason, Does.Contain(reason));
    }

    [Test]
    public void A_rule_whose_groups_cannot_be_found_keeps_later_rules_from_its_images()
    {
        var compiled = PolicyText.Compile(
            """
            rules:
              - {matchRegex: 'quay\.io/([a-z0-9]*)([a-z]*)/.*', replace: r.example/$1/$2}
              - {match: quay.io, target: s.example}
            """
        );
        var decisions = compiled.Policy.Variables.Single(variable => variable.Name == "decisions").Expression;
        Assert.Multiple(() =>
        {
            Assert.That(compiled.Refusals.Single().Key, Is.EqualTo("rules[0].replace"));
            Assert.That(
                decisions.IndexOf("? '-' :", StringComparison.Ordinal),
                Is.Positive.And.LessThan(decisions.IndexOf("s.example", StringComparison.Ordinal))
            );
        });
    }

    [Test]
    public void A_rules_text_cannot_end_its_comment_or_literal()
    {
        var compiled = PolicyText.Compile("rules: [{matchRegex: \"a'b\\\\.c\\\"/x\", replace: \"r.example/x\"}]");
        var decisions = compiled.Policy.Variables.Single(variable => variable.Name == "decisions").Expression;
        Assert.That(decisions, Does.Contain("""r.text.matches("^(?:a'b\\.c\"/x)$")"""));
    }

    private static string Rules(int count, string match)
    {
        var rules = new StringBuilder("rules:\n");
        for (var index = 0; index < count; index++)
            rules.AppendFormat(
                null,
                CompositeFormat.Parse($"  - {{{{match: \"{match}\", target: \"t.example/{{0}}\", allowSharedTarget: true}}}}\n"),
                index
            );
        return rules.ToString();
    }

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;
}
