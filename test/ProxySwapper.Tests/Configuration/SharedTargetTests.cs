using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Configuration;

/// <summary>Rules that rewrite images of two registries to the same name are rejected, since one would replace the other.</summary>
[TestFixture]
internal sealed class SharedTargetTests
{
    [TestCase("{match: '**', target: r.example}")]
    [TestCase("{match: '*', target: r.example/mirror}")]
    [TestCase("{match: '*.example.com', target: r.example}")]
    [TestCase("{match: docker.io, target: r.example}, {match: quay.io, target: r.example}")]
    [TestCase("{match: docker.io, target: r.example}, {match: quay.io, target: 'R.Example:443'}")]
    [TestCase("{match: 'docker.io/team/**', target: r.example}, {match: 'quay.io/*/app', target: r.example}")]
    [TestCase("{matchRegex: '[^/]+/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '(docker|quay)\\.io/(.*)', replace: r.example/$2}")]
    [TestCase("{matchRegex: '[^/]+/(library/nginx:1.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'quay[.]io/(foo/.*)', replace: r.example/$1}, {match: 'ghcr.io/**', target: r.example}")]
    [TestCase("{matchRegex: '(?:one\\.corp|two\\.corp)/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '.*', replace: 'r.example/one:1'}")]
    [TestCase("{match: docker.io, target: r.example}, {matchRegex: 'quay\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'ghcr\\.io/coreos/(.*)', replace: r.example/$1}, {matchRegex: 'quay\\.io/coreos/(.*)', replace: r.example/$1}")]
    [TestCase("{match: docker.io, target: r.example}, {match: quay.io, target: r.example/team}")]
    [TestCase("{match: quay.io, target: r.example/a/b}, {match: 'docker.io/b/**', target: r.example/a}")]
    [TestCase("{match: '**', target: 'r.example/{registry}'}, {match: quay.io, target: r.example/docker.io}")]
    [TestCase("{match: docker.io, target: r.example/x}, {match: '**', target: 'r.example/x/{registry}'}")]
    [TestCase("{match: 'quay.io/a/**', target: r.example}, {match: quay.io, target: r.example/a}")]
    [TestCase("{matchRegex: '^docker\\.io/library/(.*)$', replace: r.example/x/$1}, {match: ghcr.io, target: r.example/x}")]
    [TestCase("{match: ghcr.io, target: r.example/x}, {matchRegex: '^docker\\.io/library/(.*)$', replace: r.example/x/$1}")]
    [TestCase("{matchRegex: '^docker\\.io/(?:.*/)?([^/]+)$', replace: r.example/x/$1}")]
    [TestCase("{matchRegex: 'ghcr\\.io/[^/]+/(.*)', replace: r.example/x/$1}")]
    [TestCase("{match: docker.io, target: r.example/x}, {matchRegex: 'ghcr\\.io/(.*)', replace: r.example/x/ghcr/$1}")]
    [TestCase("{matchRegex: 'public\\.ecr\\.aws/docker/(library/.*)', replace: r.example/$1}, {match: docker.io, target: r.example}")]
    [TestCase("{matchRegex: 'ghcr\\.io/old/app(.*)', replace: r.example/new/app$1}, {match: ghcr.io, target: R.Example:443}")]
    [TestCase("{matchRegex: 'a\\.io/x/(.*)', replace: r.example/$1}, {matchRegex: 'b\\.io/y/z/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'a\\.io/(.*)', replace: r.example/docker.io/$1}, {match: '**', target: 'r.example/{registry}'}")]
    [TestCase("{matchRegex: '(?:a|b)\\.io/pause.*', replace: 'r.example/pause:3'}")]
    [TestCase("{matchRegex: 'r[0-9]\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'q[u-w]ay\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'zq\\w+\\.example/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'r\\d{5}\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'zz[^a-y]\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'mirrors?\\.corp/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'mirror(?:\\.eu|\\.us)?\\.corp/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '(?:mirror\\.)*corp\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'registry.k8s.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'registry\\.k8s.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'corp\\.io(?::[0-9]+)?/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'corp\\.io(:[0-9]+)?/(.*)', replace: r.example/c/$2}")]
    [TestCase("{matchRegex: '(\\w+)\\.(\\w+)\\.corp/(.*)', replace: r.example/$1/$3}")]
    [TestCase("{matchRegex: '(\\w+)\\.(\\w+)\\.corp/(.*)', replace: r.example/$1$2/$3}")]
    [TestCase("{matchRegex: '(.*)\\.corp/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: '([a-z]+\\.)+corp/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: '(r[0-9])\\.io/x/(.*)|(q[0-9])\\.io/y/(.*)', replace: r.example/$1/$2$4}")]
    [TestCase("{matchRegex: '(?<name>r[0-9])([a-f])\\.io/(.*)', replace: 'r.example/${name}/$2'}")]
    [TestCase("{matchRegex: '[^/]+/(.*)@(.*)', replace: 'r.example/$1:pinned@$2'}")]
    [TestCase("{matchRegex: 'ghcr\\.io/x[a-c]y/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '(a|b)(a|b)(a|b)DOTS/(.*)', replace: r.example/$4}")]
    [TestCase("{matchRegex: '(DOTS)/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: 'a\\.io/([a-m]+:.*)', replace: r.example/$1}, {matchRegex: 'b\\.io/([m-z]+:.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'quay\\.io/(f[x-z]o/.*)', replace: r.example/$1}, {match: ghcr.io, target: r.example}")]
    public void Two_registries_with_one_target_are_rejected(string rules)
    {
        // As a hostile configuration, which must not take much memory or time.
        rules = rules.Replace("DOTS", new string('.', 1000), StringComparison.Ordinal);
        var fault = Assert.Throws<ConfigurationException>(() => Read($"rules: [{rules}]"))!.Faults.Single();
        Assert.That(fault.Message, Does.Contain("could replace images of the others").And.Contain("allowSharedTarget: true"));
        var last = rules.LastIndexOf('}');
        Assert.That(() => Read($"rules: [{rules[..last]}, allowSharedTarget: true}}]"), Throws.Nothing, "allowed by name");
    }

    [TestCase("{match: '**', target: 'r.example/{registry}'}")]
    [TestCase("{match: docker.io, target: r.example/hub}, {match: quay.io, target: r.example/quay}")]
    [TestCase("{match: 'docker.io/library/**', target: r.example}, {match: 'docker.io/team/**', target: r.example}")]
    [TestCase("{match: 'docker.io/team/**', target: r.example}, {match: 'quay.io/other/**', target: r.example}")]
    [TestCase("{matchRegex: '([^/]+)/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: 'quay\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{match: docker.io, target: r.example}, {match: docker.io, target: r.example, namespaces: [a]}")]
    [TestCase("{match: 'docker.io/library/**', target: r.example}, {match: quay.io, target: r.example/quay}")]
    [TestCase("{match: '**', target: 'r.example/{registry}'}, {match: quay.io, target: r.example/mine}")]
    [TestCase("{match: docker.io, target: 'r.example/{registry}'}, {match: quay.io, target: 'r.example/{registry}'}")]
    [TestCase("{match: docker.io, target: r.example/a}, {match: quay.io, target: other.example/a/b}")]
    [TestCase("{matchRegex: '^docker\\.io/library/(.*)$', replace: r.example/$1}, {match: docker.io, target: r.example}")]
    [TestCase(
        "{matchRegex: '^docker\\.io/library/(.*)$', replace: r.example/$1}, {matchRegex: 'quay\\.io/(.*)', replace: r.example/quay/$1}"
    )]
    [TestCase("{matchRegex: 'quay\\.io/pause.*', replace: 'r.example/pause:3.9'}")]
    [TestCase("{matchRegex: 'docker\\.io/library/nginx:.*', replace: 'r.example/nginx:stable'}")]
    [TestCase("{matchRegex: '([^/]+)/(.*)', replace: r.example/$1/$2}, {match: quay.io, target: r.example/quay.io}")]
    [TestCase("{matchRegex: '.*', replace: 'r.example/$0'}")]
    [TestCase("{matchRegex: 'docker.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '^(?i)Quay\\.io/(.*)$', replace: r.example/$1}")]
    [TestCase("{matchRegex: '[A-Z]uay\\.io/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '(?i)us-central1-docker\\.pkg\\.dev/(.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: 'r([0-9])\\.io/(.*)', replace: r.example/r$1/$2}")]
    [TestCase("{matchRegex: '(r[0-9]\\.io/.*)', replace: r.example/$1}")]
    [TestCase("{matchRegex: '(docker|quay)\\.io/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: '((?:docker|quay)\\.io)/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: '(\\w+)\\.(\\w+)\\.corp/(.*)', replace: r.example/$1/$2/$3}")]
    [TestCase("{matchRegex: '(\\w+\\.[a-z.]+)/(.*)', replace: r.example/$1/$2}")]
    [TestCase("{matchRegex: '([0-9]+)\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com/(.*)', replace: r.example/$1/$2/$3}")]
    [TestCase("{matchRegex: '(?<host>[^/]+)/(?<path>.*)', replace: 'r.example/${host}/${path}'}")]
    [TestCase("{matchRegex: '(?:(q)uay|(g)cr)\\.io/(.*)', replace: r.example/x$1$2/$3}")]
    [TestCase("{matchRegex: 'quay\\.io/x|quay\\.io/y', replace: 'r.example/$0'}")]
    [TestCase("{matchRegex: '.*@(.*)', replace: 'r.example/x@$1'}")]
    [TestCase("{matchRegex: 'a\\.io/([a-m]+:.*)', replace: r.example/$1}, {matchRegex: 'b\\.io/([n-z]+:.*)', replace: r.example/$1}")]
    public void Targets_that_separate_registries_are_accepted(string rules) => Assert.That(() => Read($"rules: [{rules}]"), Throws.Nothing);

    [Test]
    public void ProxyUrl_as_the_target_of_two_registries_is_rejected() =>
        Assert.That(
            () => Read("proxyUrl: r.example\nrules: [{match: docker.io}, {match: quay.io}]"),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("c.yaml:2:29: rules[1].target: ")
        );

    [TestCase("nginx", "r.example/m/docker.io/x/library/nginx:latest")]
    [TestCase("Quay.io:443/a/b:1", "r.example/m/quay.io/x/a/b:1")]
    [TestCase("registry:5000/a:1", "r.example/m/registry_5000/x/a:1")]
    [TestCase("[::1]:5000/a:1", null)]
    [TestCase("r.example/m/quay.io/x/a/b:1", null)]
    public void The_placeholder_in_the_target_is_replaced_by_the_registry(string image, string? target)
    {
        var rules = RuleSet.Compile(Read("rules: [{match: '**', target: 'r.example/m/{registry}/x'}]"));
        var decision = rules.Evaluate(image, "default");
        Assert.That(decision.Target?.ToString(), Is.EqualTo(target));
        if (decision.Target is not null)
            Assert.That(rules.Evaluate(decision.Target.ToString(), "default").Reason, Is.EqualTo(DecisionReason.AlreadyAtTarget));
    }

    [Test]
    public void A_host_cannot_have_the_registry_in_it() =>
        Assert.That(
            () => Read("proxyUrl: '{registry}.r.example/x'"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contain("{registry} must be in the path")
        );

    private static ProxySwapperOptions Read(string text) => ConfigurationReader.ReadText("c.yaml", text, EnvironmentVariables.None);
}
