using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Population.Work;

[TestFixture]
internal sealed class PopulationPlannerTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

    // From the README of the plugin.
    private static readonly ProxyCacheOptions EcrBlock = new()
    {
        PatternEcrProxyCache =
            @"(^[0-9]+\.dkr\.ecr\.[^.]+\.amazonaws.com)/(proxy_)"
            + @"(docker\.io|docker\.cloudsmith\.io|gcr\.io|ghcr\.io|quay\.io|registry\.k8s\.io)/([^:]+):?(.*)$",
        Platform = new Platform("linux", "amd64"),
        Region = "eu-central-1",
    };

    private static readonly ProxyCacheOptions HarborBlock = new()
    {
        RegexUrl = @"^[0-9]+\.dkr\.ecr\.[^.]+\.amazonaws\.com/(proxy_[^/]+)/([^:]+):(.+)$",
        ReplacementOci = "https://harbor.example.com/v2/$1/$2/manifests/$3",
        ReplacementArch = "https://harbor.example.com/v2/$1/$2/manifests/ARCHDIGEST",
        TargetArch = "arm64",
    };

    [TestCase("nginx", "docker.io/library/nginx:latest", "r.example.com/library/nginx:latest")]
    [TestCase($"quay.io/a/b:1@{Digest}", $"quay.io/a/b:1@{Digest}", $"r.example.com/a/b:1@{Digest}")]
    public void A_rewritten_image_is_copied_from_where_it_came_to_where_it_points(string image, string source, string target)
    {
        var decision = new ImageDecision(
            image,
            DecisionReason.Rewritten,
            ImageReference.Parse(source),
            ImageReference.Parse(target),
            "rules[0]",
            null
        );
        var work = (CopyWork)PopulationPlanner.Compile(new() { Platforms = [new("linux", "arm64")] }).WorkFor(decision)!;
        Assert.That((work.Source.ToString(), work.Key, work.Platforms.Single().ToString()), Is.EqualTo((source, target, "linux/arm64")));
    }

    [TestCase("proxy_docker.io/library/nginx:1.25", "docker.io/library/nginx:1.25")]
    [TestCase("proxy_docker.io/nginx:1.25", "docker.io/library/nginx:1.25")]
    [TestCase("proxy_docker.io/team/x", "docker.io/team/x:latest")]
    [TestCase($"proxy_quay.io/coreos/etcd@{Digest}", $"quay.io/coreos/etcd@{Digest}")]
    [TestCase($"proxy_registry.k8s.io/a/b/c:v1@{Digest}", $"registry.k8s.io/a/b/c:v1@{Digest}")]
    public void A_proxy_cache_path_is_copied_from_the_upstream_in_its_name(string path, string source)
    {
        var work = (CopyWork)WorkFor($"{Ecr}/{path}", EcrBlock)!;
        Assert.That(
            (work.Source.ToString(), work.Target, work.Platforms.Single().ToString()),
            Is.EqualTo((source, ImageReference.Parse($"{Ecr}/{path}").WithDefaultTag(), "linux/amd64"))
        );
    }

    [TestCase($"{Ecr}/proxy_example.com/x:1")]
    [TestCase($"{Ecr}/own/app:1")]
    [TestCase("nginx")]
    [TestCase($"{Ecr}/proxy_docker.io/x:1/y")]
    public void Other_images_are_no_work(string image) => Assert.That(WorkFor(image, EcrBlock), Is.Null);

    [TestCase("proxy_docker.io/library/nginx:1.25", "harbor.example.com/proxy_docker.io/library/nginx:1.25")]
    [TestCase("proxy_docker.io/library/nginx", "harbor.example.com/proxy_docker.io/library/nginx:latest")]
    [TestCase($"proxy_quay.io/a/b@{Digest}", $"harbor.example.com/proxy_quay.io/a/b@{Digest}")]
    [TestCase($"proxy_quay.io/a/b:7@{Digest}", $"harbor.example.com/proxy_quay.io/a/b@{Digest}")]
    public void An_image_of_a_pull_through_cache_is_warmed_up(string path, string target)
    {
        var work = (WarmUpWork)WorkFor($"{Ecr}/{path}", HarborBlock)!;
        Assert.That(
            (work.Key, work.ChildRepository, work.Platform.ToString()),
            Is.EqualTo((target, work.Target.Repository, "linux/arm64"))
        );
    }

    [Test]
    public void The_platforms_manifest_may_stand_in_another_repository_of_the_cache()
    {
        var work = (WarmUpWork)
            WorkFor(
                $"{Ecr}/proxy_docker.io/x:1",
                HarborBlock with
                {
                    ReplacementArch = "https://harbor.example.com/v2/layers/$1/$2/manifests/ARCHDIGEST",
                }
            )!;
        Assert.That(work.ChildRepository, Is.EqualTo("layers/proxy_docker.io/x"));
    }

    [Test]
    public void Without_replacementArch_all_stands_in_one_repository()
    {
        var work = (WarmUpWork)WorkFor($"{Ecr}/proxy_docker.io/x:1", HarborBlock with { ReplacementArch = null })!;
        Assert.That(work.ChildRepository, Is.EqualTo("proxy_docker.io/x"));
    }

    [Test]
    public void An_image_that_a_rule_sent_to_a_pull_through_cache_is_warmed_up_and_not_pushed()
    {
        var target = ImageReference.Parse($"{Ecr}/proxy_docker.io/library/nginx:1");
        var decision = new ImageDecision(
            "nginx:1",
            DecisionReason.Rewritten,
            ImageReference.Parse("docker.io/library/nginx:1"),
            target,
            "rules[0]",
            null
        );
        Assert.That(PopulationPlanner.Compile(new() { ProxyCaches = [EcrBlock, HarborBlock] }).WorkFor(decision), Is.TypeOf<WarmUpWork>());
    }

    [Test]
    public void A_pattern_for_short_names_sees_the_image_as_it_was_written()
    {
        var work = (WarmUpWork)
            WorkFor(
                "nginx:1",
                new() { RegexUrl = "^([a-z]+):(.+)$", ReplacementOci = "http://harbor:8080/v2/hub/library/$1/manifests/$2" }
            )!;
        Assert.That(work.Key, Is.EqualTo("harbor:8080/hub/library/nginx:1"));
    }

    [TestCase(DecisionReason.IgnoredImage)]
    [TestCase(DecisionReason.IgnoredNamespace)]
    [TestCase(DecisionReason.Invalid)]
    public void An_image_that_is_to_be_left_unchanged_is_no_work(DecisionReason reason)
    {
        var image = $"{Ecr}/proxy_docker.io/x:1";
        var decision = new ImageDecision(image, reason, ImageReference.Parse(image), null, null, null);
        Assert.That(PopulationPlanner.Compile(new() { ProxyCaches = [EcrBlock, HarborBlock] }).WorkFor(decision), Is.Null);
    }

    [TestCase("https://harbor.example.com/v2/$1/$2/manifests/$3", true)]
    [TestCase("harbor.example.com/v2/$1/manifests/$2", false)]
    [TestCase("https://harbor.example.com/$1/manifests/$2", false)]
    [TestCase("https://harbor.example.com/v2/$1", false)]
    [TestCase("https://harbor.example.com/v2/manifests/$1", false)]
    public void A_manifests_url_is_checked(string url, bool isGood) =>
        Assert.That(ManifestUrl.Validate(url), isGood ? Is.Null : Does.Contain("must be the URL of a manifest"));

    [Test]
    public void The_caches_of_blocks_are_reached_as_their_urls_and_the_plugins_environment_say()
    {
        var options = new ProxySwapperOptions
        {
            Registries =
            [
                new() { Host = RegistryName.Parse("own.example.com"), CaFile = "ca.crt" },
                new() { Host = RegistryName.Parse("set.example.com"), Auth = RegistryAuth.Anonymous },
            ],
            Populate = new()
            {
                ProxyCaches =
                [
                    Block("https://harbor.example.com"),
                    Block("http://plain:8080"),
                    Block("https://own.example.com"),
                    Block("https://set.example.com"),
                ],
            },
        };
        var entries = ImpliedRegistryEntries.Entries(
            options,
            new EnvironmentVariables(new Dictionary<string, string> { ["hUSER"] = "x", ["hPW"] = "x" })
        );
        Assert.That(
            entries.Select(entry =>
                (
                    $"{entry.Host} {entry.Auth} {entry.UsernameFrom?.Environment} {entry.PasswordFrom?.Environment} "
                    + $"{entry.PlainHttp} {entry.CaFile}"
                ).TrimEnd()
            ),
            Is.EqualTo([
                "own.example.com Basic hUSER hPW False ca.crt",
                "set.example.com Anonymous   False",
                "harbor.example.com Basic hUSER hPW False",
                "plain:8080 Basic hUSER hPW True",
            ])
        );
        Assert.That(
            ImpliedRegistryEntries.Entries(options, EnvironmentVariables.None).Select(entry => entry.Host.Text),
            Is.EqualTo(["own.example.com", "set.example.com", "plain:8080"])
        );
    }

    private static ProxyCacheOptions Block(string host) =>
        new() { RegexUrl = "^(.+):(.+)$", ReplacementOci = $"{host}/v2/$1/manifests/$2" };

    private static PopulationWork? WorkFor(string image, ProxyCacheOptions block) =>
        PopulationPlanner.Compile(new() { ProxyCaches = [block] }).WorkFor(RuleSet.Compile(new()).Evaluate(image, "team"));
}
