using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Tests.Registry;

namespace ProxySwapper.Tests.Rules;

[TestFixture]
internal sealed class RuleSetPropertyTests
{
    private static readonly Gen<JsonNode> Matches =
        from match in Gen.Elements(
            "**",
            "docker.io",
            "docker.io/library/*",
            "quay.io/**",
            "*.example",
            "r.example",
            "**/a",
            "*:5000",
            "localhost"
        )
        from target in TargetGenerator.Targets
        select (JsonNode)
            new JsonObject
            {
                ["match"] = match,
                ["target"] = target,
                ["allowSharedTarget"] = true,
            };

    private static readonly Gen<JsonNode> Replacements =
        from pattern in Gen.Elements(
            "(.*)",
            "[^/]+/(.*)",
            "docker.io/(.*)",
            "[^/]+/(?:.*/)?([^/]+)",
            "quay.io/([^:@]*).*",
            "(.*):latest",
            "[^/]+/([^:@]*)[:@].*"
        )
        from prefix in Gen.OneOf(
            TargetGenerator.Targets.Select(target => $"{target}/"),
            Gen.Elements("docker.io/cache-", "index.docker.io/", "r.example/cache-", "docker.io/")
        )
        from suffix in Gen.Elements("$1", "x/$1", "$1/x", "fixed:1", "$1-x")
        select (JsonNode)
            new JsonObject
            {
                ["matchRegex"] = pattern,
                ["replace"] = prefix + suffix,
                ["allowSharedTarget"] = true,
            };

    private static readonly Gen<RuleSet?> RuleSets =
        from proxyUrl in Gen.OneOf(Gen.Constant<string?>(null), TargetGenerator.Targets.Select(target => (string?)target))
        from count in Gen.Choose(0, 3)
        from rules in Gen.ListOf(Gen.OneOf(Matches, Replacements), count)
        select RuleSetOf(
            new JsonObject { ["proxyUrl"] = proxyUrl, ["rules"] = new JsonArray([.. rules.Select(rule => rule.DeepClone())]) }
        );

    private static readonly Gen<string> Images = Gen.OneOf(
        ReferenceGenerator.Canonical,
        ReferenceGenerator.Familiar,
        from target in TargetGenerator.Targets
        from path in ReferenceGenerator.Paths
        select $"{target}/{path}",
        Gen.Elements("nginx", "quay.io/a/b:1", "localhost:5000/x", "r.example/x", "docker.io/cache-x", "registry.k8s.io/pause:3.9")
    );

    private static readonly Gen<(RuleSet? Rules, string Image)> Cases = from rules in RuleSets from image in Images select (rules, image);

    [FsCheck.NUnit.Property(MaxTest = 300)]
    public Property What_was_rewritten_is_never_rewritten_again() =>
        Prop.ForAll(
            Cases.ToArbitrary(),
            sample =>
            {
                var once = sample.Rules?.Evaluate(sample.Image, "default");
                var isFixed =
                    once?.Target is not { } target
                    || sample.Rules!.Evaluate(target.ToString(), "default").Reason == DecisionReason.AlreadyAtTarget;
                return isFixed.When(once is { IsRewritten: true });
            }
        );

    [FsCheck.NUnit.Property(MaxTest = 300)]
    public Property No_image_makes_the_rules_throw() =>
        Prop.ForAll(
            (from rules in RuleSets from image in ReferenceGenerator.Nearly select (rules, image)).ToArbitrary(),
            sample =>
                sample.rules?.Evaluate(sample.image, "default") is not { } decision
                || decision.Image == sample.image && decision.IsRewritten == (decision.Reason == DecisionReason.Rewritten)
        );

    private static RuleSet? RuleSetOf(JsonObject configuration)
    {
        try
        {
            return RuleSet.Compile(ConfigurationReader.ReadText("c.yaml", configuration.ToJsonString(), EnvironmentVariables.None));
        }
        catch (ConfigurationException)
        {
            // Such as a rule with a target of 300 characters.
            return null;
        }
    }
}
