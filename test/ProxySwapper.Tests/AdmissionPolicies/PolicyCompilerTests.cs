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
            Assert.That(compiled.Rejections, Is.Empty);
            Assert.That(decisions, Has.Count.GreaterThan(1));
            Assert.That(decisions.Select(variable => Occurrences(variable.Expression, ".matches(")), Is.All.LessThanOrEqualTo(14));
            Assert.That(decisions.Sum(variable => Occurrences(variable.Expression, ".matches(")), Is.EqualTo(20));
        });
    }

    [Test]
    public void A_thousand_registries_are_a_policy_and_no_variable_has_more_than_a_hundred()
    {
        var compiled = PolicyText.Compile(Rules(1000, "r{0}.example"));
        Assert.That(compiled.Rejections, Is.Empty);
        Assert.That(
            compiled.Policy.Variables.Select(variable => Occurrences(variable.Expression, "    ? ")),
            Is.All.LessThanOrEqualTo(100)
        );
    }

    [Test]
    public void Rules_that_cost_more_than_the_api_server_allows_are_rejected_with_the_figures()
    {
        var rejection = PolicyText.Compile(Rules(400, "*.r{0}.example/**/app-*")).Rejections.Single();
        Assert.Multiple(() =>
        {
            Assert.That(rejection.Key, Is.EqualTo("rules"));
            Assert.That(rejection.Reason, Does.StartWith("too many for a policy").And.Contain("60 images").And.Contain("9,000,000"));
        });
    }

    [Test]
    public void No_expression_is_longer_than_the_api_server_parses()
    {
        var images = LongImages(98);
        var compiled = PolicyText.Compile($"proxyUrl: r.example\nignoreImages:\n{images}");
        Assert.That(compiled.Rejections, Is.Empty);
        Assert.That(compiled.Policy.Variables.Sum(variable => variable.Expression.Length), Is.GreaterThan(100_000));
        Assert.That(compiled.Policy.Variables.Select(variable => variable.Expression.Length), Is.All.LessThan(99_500));
    }

    [Test]
    public void Conditions_and_rules_that_are_too_long_are_rejected_by_their_key()
    {
        var namespaces = string.Join(", ", Enumerable.Range(0, 3000).Select(index => $"team-{index}"));
        var rejected = PolicyText.Compile($"proxyUrl: r.example\nignoreNamespaces: [{namespaces}]").Rejections.Single();
        Assert.That(rejected.Key, Is.EqualTo("ignoreNamespaces"));
        Assert.That(rejected.Reason, Does.StartWith("too long for a policy").And.Contain("allows 100,000"));
        rejected = PolicyText
            .Compile(
                $$"""
                rules:
                  - {match: quay.io, target: q.example}
                  - {match: docker.io, target: r.example, namespaces: [{{namespaces}}]}
                """
            )
            .Rejections[0];
        Assert.That((rejected.Key, rejected.Reason[..22]), Is.EqualTo(("rules[1]", "too long for a policy:")));
        var placeholders = string.Join(", ", Enumerable.Range(0, 10_000).Select(index => $"placeholder-{index}"));
        rejected = PolicyText.Compile($"proxyUrl: r.example\nplaceholderImages: [{placeholders}]").Rejections[0];
        Assert.That((rejected.Key, rejected.WithoutIt), Is.EqualTo(("placeholderImages", (string?)null)));
    }

    [Test]
    public void Conditions_of_the_user_are_counted_and_measured()
    {
        static string Configuration(int count, int length) =>
            $"proxyUrl: r.example\nadmissionPolicy:\n  matchConditions:\n"
            + string.Concat(
                Enumerable.Range(0, count).Select(index => $"    - {{name: c{index}, expression: \"'{new string('a', length)}' != ''\"}}\n")
            );
        Assert.That(PolicyText.Compile(Configuration(60, 1)).Rejections, Is.Empty);
        var rejection = PolicyText.Compile(Configuration(61, 1)).Rejections.Single();
        Assert.That(rejection.Key, Is.EqualTo("admissionPolicy.matchConditions"));
        Assert.That(rejection.Reason, Does.Contain("65 conditions").And.Contain("allows 64"));
        Assert.That(PolicyText.Compile(Configuration(2, 99_900)).Rejections, Is.Empty);
        rejection = PolicyText.Compile(Configuration(1, 100_000)).Rejections.Single();
        Assert.That(rejection.Key, Is.EqualTo("admissionPolicy.matchConditions[0].expression"));
        Assert.That(rejection.Reason, Does.StartWith("too long for a policy").And.Contain("allows 100,000"));
    }

    [TestCase("rules: [{matchRegex: '\\p{Ll}+\\.io/.*', replace: r.example/one:1, allowSharedTarget: true}]")]
    [TestCase("rules: [{matchRegex: 'c\\.io/((.*)/)?x', replace: 'r.example/$2/x'}]")]
    [TestCase("logLevel: info")]
    public void A_policy_that_would_rewrite_nothing_is_not_usable(string configuration)
    {
        var compiled = PolicyText.Compile(configuration);
        Assert.That(compiled.IsUsable, Is.False);
        Assert.That(compiled.Rejections[0].Key, Is.EqualTo("rules"));
        Assert.That(compiled.Rejections[0].Reason, Does.Contain("no image would be rewritten"));
    }

    [TestCase(@"(?i)quay\.io/\p{Ll}+.*", "r.example/private:1")]
    [TestCase(@"docker\.io/\p{Ll}+/.*", "quay.io/mirror/one:1")]
    [TestCase(@"docker\.io/(\p{Ll}+)/.*", "quay.io/mirror/$1")]
    public void Images_at_the_target_of_a_rule_that_is_left_out_stay(string pattern, string replacement)
    {
        var compiled = PolicyText.Compile(
            $$"""
            rules:
              - {matchRegex: '{{pattern}}', replace: {{replacement}}, allowSharedTarget: true}
              - {match: quay.io, target: s.example}
            """
        );
        var candidates = compiled.Policy.Variables.Single(variable => variable.Name == "candidates").Expression;
        var decisions = compiled.Policy.Variables.Single(variable => variable.Name == "decisions").Expression;
        Assert.Multiple(() =>
        {
            Assert.That(compiled.IsUsable, Is.True);
            Assert.That(compiled.Rejections.Single().Key, Is.EqualTo("rules[0].matchRegex"));
            Assert.That(compiled.Rejections.Single().WithoutIt, Does.Contain("later rules apply").And.Contain("target are left unchanged"));
            Assert.That(candidates, Does.Contain(replacement.Replace("$1", "")));
            Assert.That(decisions, Does.Contain("s.example").And.Not.Contain("rules[0]"));
        });
    }

    [TestCase("not-opted-out", "one")]
    [TestCase("one", "one")]
    public void Conditions_of_one_name_are_rejected(string first, string second)
    {
        var rejection = PolicyText
            .Compile(
                $$"""
                proxyUrl: r.example
                admissionPolicy:
                  matchConditions: [{name: {{first}}, expression: "true"}, {name: {{second}}, expression: "true"}]
                """
            )
            .Rejections.Single();
        Assert.That(rejection.Key, Is.EqualTo($"admissionPolicy.matchConditions[{(first == second ? 1 : 0)}].name"));
        Assert.That(rejection.Reason, Does.Contain($"the name '{first}'"));
    }

    [TestCase("dryRun: true\nproxyUrl: r.example", "dryRun", "has no dry run")]
    public void What_a_policy_cannot_express_is_rejected_by_key(string configuration, string key, string reason)
    {
        var rejection = PolicyText.Compile(configuration).Rejections.Single();
        Assert.That((rejection.Key, rejection.WithoutIt), Is.EqualTo((key, (string?)null)), "it cannot be left out either");
        Assert.That(rejection.Reason, Does.Contain(reason));
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
            Assert.That(compiled.Rejections.Single().Key, Is.EqualTo("rules[0].replace"));
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

    /// <summary>Images with a tag, each nearly as long as references can be.</summary>
    public static string LongImages(int count)
    {
        var (host, path, tag) = (string.Join('.', Enumerable.Repeat(new string('h', 60), 4)), new string('p', 240), new string('t', 100));
        return string.Concat(Enumerable.Range(0, count).Select(index => $"  - {host}/{path}{index}:{tag}\n"));
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
