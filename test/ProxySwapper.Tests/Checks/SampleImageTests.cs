using ProxySwapper.Checks;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Checks;

/// <summary>The images that a check tries.</summary>
[TestFixture]
internal sealed class SampleImageTests
{
    [TestCase(@"{match: docker.io, target: r.example}", "docker.io/proxyswapper-check/proxyswapper-check:latest")]
    [TestCase(@"{match: '*.gcr.io/a/*', target: 'r.example/{registry}'}", "proxyswapper-check.gcr.io/a/proxyswapper-check:latest")]
    [TestCase(@"{matchRegex: 'quay\.io/(.*)', replace: r.example/$1}", "quay.io/proxyswapper-check:latest")]
    [TestCase(@"{matchRegex: '^quay[.]io/(.*)$', replace: r.example/$1}", "quay.io/proxyswapper-check:latest")]
    [TestCase(@"{matchRegex: '(docker\.io/library/nginx:1)(.*)', replace: r.example/nginx:1$2}", "docker.io/library/nginx:1")]
    [TestCase(@"{matchRegex: '(quay\.io)/(.*)', replace: r.example/$1/$2}", "quay.io/proxyswapper-check:latest")]
    [TestCase(@"{matchRegex: 'quay.io/(.*)', replace: r.example/$1}", "quay.io/proxyswapper-check:latest")]
    [TestCase(@"{matchRegex: '((quay\.io)/(?:team))/(.*)', replace: r.example/$2/$3}", "quay.io/team/proxyswapper-check:latest")]
    [TestCase(
        @"{matchRegex: '(quay|gcr)\.io/([^/]+)/(.*)', replace: r.example/$2/$3, allowSharedTarget: true}",
        "quay.io/proxyswapper-check/proxyswapper-check:latest"
    )]
    [TestCase(
        @"{matchRegex: '(?:quay\.io|gcr\.io)/(.*)', replace: r.example/$1, allowSharedTarget: true}",
        "quay.io/proxyswapper-check:latest"
    )]
    [TestCase(
        @"{matchRegex: 'quay\.io/(.*)@(sha256:.*)', replace: r.example/$1@$2}",
        "quay.io/proxyswapper-check@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    )]
    [TestCase(
        @"{matchRegex: 'quay\.io/([^/]+)/([^/:]+:.+)', replace: r.example/$1/$2}",
        "quay.io/proxyswapper-check/proxyswapper-check:latest"
    )]
    public void One_is_known_of_a_rule_that_begins_with_a_registry(string rule, string image) =>
        Assert.That(SamplesOf(rule, out _), Is.EqualTo(new[] { image }));

    [TestCase(@"{matchRegex: '[a-z]+\.io/(.*)', replace: r.example/$1, allowSharedTarget: true}")]
    [TestCase(@"{matchRegex: '(quay\.io)?/?(.*)', replace: r.example/$2, allowSharedTarget: true}")]
    [TestCase(@"{matchRegex: 'quay\.io/(v[0-9]+)/(.*)', replace: r.example/$1/$2}")]
    [TestCase(@"{matchRegex: '.*/(nginx:.*)', replace: r.example/$1, allowSharedTarget: true}")]
    [TestCase(@"{match: quay.io, target: r.example, namespaces: [other]}")]
    public void None_is_known_of_other_rules(string rule)
    {
        Assert.That(SamplesOf(rule, out var untried), Is.Empty);
        Assert.That(untried, Is.EqualTo(new[] { "rules[0]" }));
    }

    private static IEnumerable<string> SamplesOf(string rule, out List<string> untried)
    {
        untried = [];
        var options = ConfigurationReader.ReadText("config.yaml", $"rules: [{rule}]", EnvironmentVariables.None);
        return SampleImage.Of(options, "team", [], untried).Select(sample => sample.Image);
    }
}
