using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Rules;

[TestFixture]
internal sealed class RuleSetTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [TestCase("nginx", "r.example/library/nginx:latest")]
    [TestCase("nginx:1.25", "r.example/library/nginx:1.25")]
    [TestCase("docker.io/team/x:1", "r.example/team/x:1")]
    [TestCase("index.docker.io/team/x:1", "r.example/team/x:1")]
    [TestCase("nginx@sha256:" + Hex, "r.example/library/nginx@sha256:" + Hex)]
    [TestCase("nginx:1@sha256:" + Hex, "r.example/library/nginx:1@sha256:" + Hex)]
    [TestCase("gcr.io/a/b", null)]
    [TestCase("localhost/x", null)]
    [TestCase("registry:5000/x", null)]
    [TestCase("[::1]:5000/x", null)]
    [TestCase("10.0.0.1/x", null)]
    [TestCase("r.example/library/nginx:1", null)]
    [TestCase("r.example/other", null)]
    [TestCase("R.Example:443/other", null)]
    [TestCase("r.example.com/library/nginx", null)]
    public void With_a_proxy_url_alone_docker_hub_and_nothing_else_goes_there(string image, string? target) =>
        Assert.That(Target("proxyUrl: r.example", image), Is.EqualTo(target));

    [TestCase("r.example:5000")]
    [TestCase("r.example:5000/mirror")]
    [TestCase("[::1]:5000/a/b")]
    [TestCase("localhost")]
    [TestCase("docker.io/my-org")]
    [TestCase("123456789012.dkr.ecr.eu-central-1.amazonaws.com/proxy_docker.io")]
    public void Images_at_a_target_with_port_or_path_are_not_rewritten_again(string proxyUrl)
    {
        var rules = Rules($"proxyUrl: '{proxyUrl}'");
        var once = rules.Evaluate("nginx", "default");
        var twice = rules.Evaluate(once.Target!.ToString(), "default");
        Assert.That(
            (once.Target.ToString(), twice.Reason),
            Is.EqualTo(($"{proxyUrl}/library/nginx:latest", DecisionReason.AlreadyAtTarget))
        );
    }

    [TestCase("docker.io", "docker.io/a/b", true)]
    [TestCase("Registry-1.docker.io", "nginx", true)]
    [TestCase("docker.io", "registry.hub.docker.com:443/library/nginx", true)]
    [TestCase("Quay.io:443", "quay.io/a/b", true)]
    [TestCase("quay.io", "QUAY.io:443/a/b", true)]
    [TestCase("docker.io", "quay.io/a/b", false)]
    [TestCase("index.docker.io", "nginx", true)]
    [TestCase("docker.io/library/nginx", "nginx", true)]
    [TestCase("docker.io/library/nginx", "nginx2", false)]
    [TestCase("docker.io/nginx", "nginx", true)]
    [TestCase("index.docker.io/nginx", "nginx", true)]
    [TestCase("docker.io/*", "nginx", true)]
    [TestCase("docker.io/*", "team/nginx", false)]
    [TestCase("docker.io/**", "team/nginx", true)]
    [TestCase("docker.io/main", "docker.io/main2/x", false)]
    [TestCase("docker.io/main/**", "docker.io/main2/x", false)]
    [TestCase("docker.io/main/**", "docker.io/main/x/y", true)]
    [TestCase("docker.io/main/**", "docker.io/main/x", true)]
    [TestCase("docker.io/*/x", "docker.io/a/x", true)]
    [TestCase("docker.io/*/x", "docker.io/a/b/x", false)]
    [TestCase("docker.io/**/x", "docker.io/a/b/x", true)]
    [TestCase("docker.io/**/x", "docker.io/a/b/x/y", false)]
    [TestCase("docker.io/a/**/z", "docker.io/a/z", true)]
    [TestCase("docker.io/lib*/ng*x", "nginx", true)]
    [TestCase("docker.io/lib*/ng*y", "nginx", false)]
    [TestCase("*.gcr.io", "eu.gcr.io/a/b", true)]
    [TestCase("*.gcr.io", "gcr.io/a/b", false)]
    [TestCase("**", "localhost:5000/a", true)]
    [TestCase("**/nginx", "nginx", true)]
    [TestCase("**/nginx", "quay.io/a/b/nginx", true)]
    [TestCase("**/nginx", "quay.io/a/nginx2", false)]
    [TestCase("**/a/**", "quay.io/a", false)]
    [TestCase("quay.io/a/**/**", "quay.io/a/b", true)]
    [TestCase("quay.io/**/a/**/b", "quay.io/a/x/a/b", true)]
    [TestCase("*:5000", "localhost:5000/a", true)]
    [TestCase("registry:5000", "registry:5000/a", true)]
    [TestCase("[::1]:5000", "[::1]:5000/a", true)]
    public void A_match_applies_to_whole_segments(string match, string image, bool taken) =>
        Assert.That(
            Target($"rules: [{{match: '{match}', target: r.example, allowSharedTarget: true}}]", image),
            taken ? Is.Not.Null : Is.Null
        );

    [Test]
    public void A_warning_does_not_repeat_the_password_of_an_invalid_image() =>
        Assert.That(
            RuleSet.Compile(new ProxySwapperOptions()).Evaluate("http://me:secret@r.example/x", "default").Warning,
            Does.StartWith("image 'http://***@r.example/x' left unchanged: ")
        );

    [Test]
    public void The_first_match_wins() =>
        Assert.That(
            Target("rules: [{match: docker.io/a/**, target: one.example}, {match: docker.io, target: two.example}]", "a/x"),
            Is.EqualTo("one.example/a/x:latest")
        );

    [TestCase("team-a", true), TestCase("dev-1", true), TestCase("dev", false), TestCase("team-ab", false), TestCase("", false)]
    public void A_rule_holds_in_its_namespaces(string @namespace, bool taken) =>
        Assert.That(
            Rules("rules: [{match: docker.io, target: r.example, namespaces: [team-a, 'dev-*']}]")
                .Evaluate("nginx", @namespace)
                .IsRewritten,
            Is.EqualTo(taken)
        );

    [Test]
    public void A_rule_without_target_uses_the_proxy_url_and_docker_hub_has_no_rule_of_its_own_then()
    {
        const string Configuration = "proxyUrl: r.example\nrules: [{match: quay.io}]";
        Assert.That(
            (Target(Configuration, "quay.io/a/b"), Target(Configuration, "nginx")),
            Is.EqualTo(("r.example/a/b:latest", default(string)))
        );
    }

    [TestCase("docker.io/(.*)", "r.example/hub/$1", "nginx", "r.example/hub/library/nginx:latest")]
    [TestCase("docker.io/(.*)", "r.example/hub/$1", "myorg/docker.io-tools", "r.example/hub/myorg/docker.io-tools:latest")]
    [TestCase("docker.io/(.*)", "r.example/hub/$1", "quay.io/x/docker.io/y", null)]
    [TestCase("(?<host>[^/]+)/(?<path>.*)", "r.example/${host}/${path}", "quay.io/a:1", "r.example/quay.io/a:1")]
    [TestCase("docker.io/library/(.*):latest", "r.example/$1:stable", "nginx", "r.example/nginx:stable")]
    [TestCase("docker.io/bitnami/(.*)", "docker.io/bitnamilegacy/$1", "bitnami/redis:7", "docker.io/bitnamilegacy/redis:7")]
    [TestCase(".*@(.*)", "r.example/x@$1", "nginx:1@sha256:" + Hex, "r.example/x@sha256:" + Hex)]
    public void A_regular_expression_sees_the_whole_normalised_reference(string pattern, string replace, string image, string? target) =>
        Assert.That(Target($"rules: [{{matchRegex: '{pattern}', replace: '{replace}'}}]", image), Is.EqualTo(target));

    [TestCase("{matchRegex: 'quay[.]io/(.*)', replace: r.example/$1}", "quay.io/a", false)]
    [TestCase("{matchRegex: 'quay[.]io/(a/.*)', replace: r.example/$1}, {match: quay.io, target: r.example}", "quay.io/b/c", false)]
    [TestCase("{matchRegex: '([^/]+)/(x[a-z]z/app:.*)', replace: r.example/$1/$2}", "quay.io/xyz/app", true)]
    [TestCase(
        "{match: ghcr.io, target: r.example}, {matchRegex: '[^/]+/(f[a-z]o/.*)', replace: r.example/$1, allowSharedTarget: true}",
        "ghcr.io/a",
        true
    )]
    [TestCase(
        "{match: ghcr.io, target: r.example}, {matchRegex: '[^/]+/(f[a-z]o/.*)', replace: r.example/$1, allowSharedTarget: true}",
        "quay.io/foo/a",
        true
    )]
    [TestCase(
        "{match: ghcr.io, target: r.example/y}, {matchRegex: '([^/]+)/(f[a-z]o/.*)', replace: r.example/x/$1/$2}",
        "ghcr.io/a",
        false
    )]
    [TestCase("{matchRegex: 'x[.]io/f[a-z]+', replace: r.example/one:1}, {match: a.io, target: r.example}", "a.io/b", true)]
    [TestCase("{match: a.io, target: docker.io/library}, {matchRegex: 'b[.]io/(x+)', replace: docker.io/x$1}", "a.io/x", true)]
    [TestCase("{match: '**', target: 'r.example/{registry}'}, {matchRegex: 'b[.]io/(x+:.*)', replace: r.example/a.io/$1}", "a.io/x", true)]
    public void A_target_counts_as_shared_where_a_regular_expression_may_send_another_image(string rules, string image, bool isShared)
    {
        var decision = Rules($"rules: [{rules}]").Evaluate(image, "default");
        Assert.That((decision.IsRewritten, decision.IsTargetShared), Is.EqualTo((true, isShared)));
    }

    [TestCase("quay.io/pause:3", "quay.io/pause:3")]
    [TestCase("docker.io/pause", "pause:latest")]
    public void A_replacement_that_is_one_image_makes_no_target_of_its_registry(string replace, string image)
    {
        var rules = Rules(
            $$"""
            rules:
              - {matchRegex: '.*/pause(:.*)', replace: '{{replace}}', allowSharedTarget: true}
              - {match: '**', target: r.example, allowSharedTarget: true}
            """
        );
        Assert.That(
            rules.Evaluate("registry.k8s.io/pause:2", "default").Target,
            Is.EqualTo(ProxySwapper.Registry.ImageReference.Parse(replace))
        );
        Assert.That(
            (
                rules.Evaluate(image, "default").Reason,
                rules.Evaluate("quay.io/other:1", "default").Target?.ToString(),
                rules.Evaluate("quay.io/pause:30", "default").IsRewritten
            ),
            Is.EqualTo((DecisionReason.AlreadyAtTarget, "r.example/other:1", true))
        );
    }

    [Test]
    public void A_replacement_that_makes_no_reference_leaves_the_image_alone_with_a_warning()
    {
        var decision = Rules("rules: [{matchRegex: '([^/]+)/(.*)', replace: 'r.example/$1/$2'}]").Evaluate("registry:5000/x:1", "default");
        Assert.That((decision.Reason, decision.IsRewritten), Is.EqualTo((DecisionReason.InvalidTarget, false)));
        Assert.That(decision.Warning, Does.Contain("registry:5000/x:1").And.Contain("rules[0]"));
    }

    [Test]
    public void A_path_that_becomes_too_long_leaves_the_image_alone_with_a_warning()
    {
        var decision = Rules($"proxyUrl: r.example/{new string('a', 200)}").Evaluate($"x/{new string('b', 100)}", "default");
        Assert.That(decision.Reason, Is.EqualTo(DecisionReason.InvalidTarget));
    }

    [TestCase("UPPER"), TestCase(""), TestCase("a:b:c"), TestCase("nginx@sha256:12"), TestCase(" nginx")]
    public void An_image_that_does_not_parse_is_left_unchanged_with_a_warning(string image)
    {
        var decision = Rules("proxyUrl: r.example").Evaluate(image, "default");
        Assert.That(
            (decision.Reason, decision.Target, decision.Warning is not null),
            Is.EqualTo((DecisionReason.Invalid, default(object), true))
        );
    }

    [TestCase("registry", "registry:2", true)]
    [TestCase("registry", "docker.io/library/registry@sha256:" + Hex, true)]
    [TestCase("registry", "team/registry", false)]
    [TestCase("registry", "quay.io/library/registry", false)]
    [TestCase("team/x", "team/x:3", true)]
    [TestCase("docker.io/team/x", "team/x", true)]
    [TestCase("nginx:1.25", "nginx:1.25", true)]
    [TestCase("nginx:1.25", "nginx:1.26", false)]
    [TestCase("nginx:latest", "nginx", true)]
    [TestCase("nginx:1.*", "nginx:1.26", true)]
    [TestCase("nginx@sha256:" + Hex, "nginx:1@sha256:" + Hex, true)]
    [TestCase("nginx@sha256:" + Hex, "nginx:1", false)]
    [TestCase("bitnami/*", "bitnami/redis", true)]
    [TestCase("bitnami/*", "bitnami/a/b", false)]
    [TestCase("quay.io/**", "quay.io/a/b/c", true)]
    [TestCase("*/team/**", "docker.io/team/x", true)]
    [TestCase("my-*/app", "my-team/app", true)]
    [TestCase("my-*/app", "my-team.example/library/app", false)]
    [TestCase("docker.io/*", "nginx", true)]
    [TestCase("index.docker.io/nginx", "nginx", true)]
    [TestCase("ngin*", "nginx", true)]
    [TestCase("**", "anything/at/all", true)]
    public void Ignored_images_are_left_unchanged(string pattern, string image, bool ignored) =>
        Assert.That(
            Rules($"proxyUrl: r.example\nignoreImages: ['{pattern}']").Evaluate(image, "default").Reason == DecisionReason.IgnoredImage,
            Is.EqualTo(ignored)
        );

    [TestCase("populate: false", true)]
    [TestCase("populate: true", false)]
    [TestCase("namespaces: []", false)]
    public void A_rule_can_disable_population(string more, bool fillsItself)
    {
        var decision = Rules($"rules: [{{match: docker.io, target: 'localhost:30026', {more}}}]").Evaluate("nginx", "default");
        Assert.That((decision.IsRewritten, !decision.Populate), Is.EqualTo((true, fillsItself)));
    }

    [Test]
    public void Ignored_namespaces_are_left_unchanged() =>
        Assert.That(
            Rules("proxyUrl: r.example\nignoreNamespaces: [kube-*]").Evaluate("nginx", "kube-system").Reason,
            Is.EqualTo(DecisionReason.IgnoredNamespace)
        );

    [Test]
    public void A_decision_names_its_rule() =>
        Assert.That(
            Rules("rules: [{match: quay.io, target: a.example}, {match: docker.io, target: b.example}]").Evaluate("nginx", "").Rule,
            Is.EqualTo("rules[1]")
        );

    [TestCase("docker.io/**/**/**/**/**/**/**/**/z")]
    [TestCase("**/a/**/a/**/a/**/a/**/z")]
    public void Many_wildcards_take_linear_time(string match)
    {
        // Exponential backtracking of ** would exceed the test's time.
        var rules = Rules($"rules: [{{match: '{match}', target: r.example, allowSharedTarget: true}}]");
        var path = string.Join('/', Enumerable.Repeat("a", 120));
        Assert.That(
            (rules.Evaluate($"docker.io/{path}", "default").IsRewritten, rules.Evaluate($"docker.io/{path}/z", "default").IsRewritten),
            Is.EqualTo((false, true))
        );
    }

    [Test]
    public void What_went_to_the_proxy_stays_there_when_there_are_rules() =>
        Assert.That(
            Rules("proxyUrl: r.example\nrules: [{match: '**', target: 's.example/{registry}'}]")
                .Evaluate("r.example/library/nginx:1", "default")
                .Reason,
            Is.EqualTo(DecisionReason.AlreadyAtTarget)
        );

    private static string? Target(string configuration, string image) => Rules(configuration).Evaluate(image, "default").Target?.ToString();

    private static RuleSet Rules(string configuration) =>
        RuleSet.Compile(ConfigurationReader.ReadText("c.yaml", configuration, EnvironmentVariables.None));
}
