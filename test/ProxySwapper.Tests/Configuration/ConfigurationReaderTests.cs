using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Configuration;

[TestFixture]
internal sealed class ConfigurationReaderTests
{
    private static readonly EnvironmentVariables NoEnvironment = EnvironmentVariables.None;

    /// <summary>The example in the documentation, which uses all sections.</summary>
    private const string Whole = """
        proxyUrl: registry.internal.example.com
        port: 8443
        tlsCertPath: /tls/tls.crt
        tlsKeyPath: /tls/tls.key
        managementPort: 9090
        logLevel: info
        ignoreImages: [registry, "registry.internal.example.com/**"]
        ignoreNamespaces: [kube-system]
        rules:
          - match: docker.io
            target: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/proxy_docker.io
          - match: quay.io/coreos/**
            target: harbor.example.com/proxy_quay.io
            namespaces: [team-a, "dev-*"]
          - matchRegex: '^us-central1-docker\.pkg\.dev/(.*)$'
            replace: 'localhost:30026/$1'
        swapPolicy: exists
        populate:
          policy: immediate
          deadline: 8s
          maxNumberOfParallelJobs: 2
          maxRetries: 10
          platforms: []
          proxyCaches:
            - patternEcrProxyCache: "(^[0-9]+\\.dkr\\.ecr\\.[^.]+\\.amazonaws.com)/(proxy_)\
                (docker\\.io|docker\\.cloudsmith\\.io|quay\\.io|registry\\.opensource\\.zalan\\.do|\
                us-docker\\.pkg\\.dev|xpkg\\.upbound\\.io)/([^:]+):?(.*)$"
              platform: "linux/amd64"
              region: "eu-central-1"
            - regexURL: "^[0-9]+\\.dkr\\.ecr\\.[^.]+\\.amazonaws\\.com/(proxy_[^/]+)/([^:]+):(.+)$"
              replacementOCI: "https://harbor.example.com/v2/$1/$2/manifests/$3"
              replacementArch: "https://harbor.example.com/v2/$1/$2/manifests/ARCHDIGEST"
              targetArch: arm64
              targetOS: linux
        registries:
          - host: 123456789012.dkr.ecr.eu-central-1.amazonaws.com
            auth: ecr
            createRepositories: { scanOnPush: false, imageTagMutability: immutable, tags: { team: platform } }
          - host: harbor.example.com
            auth: basic
            usernameFrom: { env: HARBOR_USER }
            passwordFrom: { file: /etc/harbor/password }
            caFile: /etc/harbor/ca.crt
            maxConcurrency: 4
            requestsPerSecond: 20
        proxyHealth: { fallback: false, interval: 10s }
        """;

    [Test]
    public void All_sections_are_read()
    {
        var options = Read(Whole);
        Assert.Multiple(() =>
        {
            Assert.That(options.Rules, Has.Count.EqualTo(3));
            Assert.That(options.Rules[1].Namespaces, Is.EqualTo(new[] { "team-a", "dev-*" }));
            Assert.That(options.SwapPolicy, Is.EqualTo(SwapPolicy.Exists));
            Assert.That(
                (options.Populate.Policy, options.Populate.Deadline),
                Is.EqualTo((PopulatePolicy.Immediate, TimeSpan.FromSeconds(8)))
            );
            Assert.That(options.Populate.ProxyCaches[0].Platform!.ToString(), Is.EqualTo("linux/amd64"));
            Assert.That(options.Populate.ProxyCaches[1].TargetArch, Is.EqualTo("arm64"));
            Assert.That(options.Registries[0].CreateRepositories!.ImageTagMutability, Is.EqualTo("IMMUTABLE"));
            Assert.That(options.Registries[1].PasswordFrom!.File, Is.EqualTo("/etc/harbor/password"));
            Assert.That(options.ProxyHealth, Is.EqualTo(new ProxyHealthOptions { Fallback = false, Interval = TimeSpan.FromSeconds(10) }));
        });
    }

    [Test]
    public void An_empty_file_gives_the_defaults()
    {
        var options = Read("");
        Assert.That(
            (
                options.Port,
                options.ManagementPort,
                options.SwapPolicy,
                options.Populate.Policy,
                options.Populate.MaxNumberOfParallelJobs,
                options.Populate.RecheckAfter
            ),
            Is.EqualTo((8443, 9090, SwapPolicy.Always, PopulatePolicy.Gate, 4, TimeSpan.FromHours(1)))
        );
    }

    [Test]
    public void Keys_match_without_regard_to_case() =>
        Assert.That(
            Read("PROXYURL: r.example\nignoreimages: [a]"),
            Has.Property("ProxyUrl").EqualTo("r.example").And.Property("IgnoreImages").EqualTo(new[] { "a" })
        );

    [Test]
    public void The_block_of_a_plugin_can_be_pasted_unchanged()
    {
        var options = Read(
            """
            populate:
                maxNumberOfParallelJobs: 2
                proxyCaches:
                - patternEcrProxyCache: "(^[0-9]+\\.dkr\\.ecr\\.[^.]+\\.amazonaws.com)/(proxy_)(docker\\.io|gcr\\.io)/([^:]+):?(.*)$"
                  platform: "linux/amd64"
                  region: "eu-central-1"
            """
        );
        Assert.That(options.Populate.ProxyCaches.Single().Region, Is.EqualTo("eu-central-1"));
    }

    [TestCase("port: eighty", "c.yaml:1:7: port: must be an integer from 0 to 65535")]
    [TestCase("port: 70000", "port: must be an integer")]
    [TestCase("prot: 1", "c.yaml:1:1: unknown key 'prot'; valid keys are")]
    [TestCase("port: 1\nport: 2", "invalid YAML: Duplicate key")]
    [TestCase("logLevel: loud", "logLevel: must be one of trace, debug, info, warn, error")]
    [TestCase("swapPolicy: never", "swapPolicy: must be one of always, exists")]
    [TestCase("swapPolicy: 1", "swapPolicy: must be one of always, exists")]
    [TestCase("swapPolicy: -1", "swapPolicy: must be one of always, exists")]
    [TestCase("swapPolicy: 'always,exists'", "swapPolicy: must be one of always, exists")]
    [TestCase("proxyUrl: https://r.example", "without a scheme")]
    [TestCase("proxyUrl: docker.io", "Docker Hub itself")]
    [TestCase("proxyUrl: registry", "'registry' would be read as a path on Docker Hub")]
    [TestCase("proxyUrl: r.example/", "without a trailing slash")]
    [TestCase("proxyUrl: r.example/UPPER", "upper-case")]
    [TestCase("proxyUrl: r.example/a:1", "must be a registry")]
    [TestCase("ignoreImages: ['a@b']", "ignoreImages[0]: 'b' is not a sha256")]
    [TestCase("ignoreImages: ['UPPER']", "ignoreImages[0]")]
    [TestCase("ignoreImages: ['team/(a|b)*']", "'(a|b)*' is not valid in a repository name")]
    [TestCase("ignoreNamespaces: [Team]", "ignoreNamespaces[0]: must be a namespace name")]
    [TestCase("registries: [{host: docker.io}, {host: INDEX.docker.io:443}]", "'docker.io' already has an entry")]
    [TestCase("rules: [{match: docker.io}]", "rules[0].target: is required")]
    [TestCase("rules: [{target: r.example}]", "match: exactly one of match and matchRegex is required")]
    [TestCase("rules: [{match: docker.io, matchRegex: x, target: r.example}]", "exactly one of match and matchRegex is required")]
    [TestCase("rules: [{match: nginx, target: r.example}]", "'nginx' is not a registry host")]
    [TestCase("rules: [{match: docker.io//x, target: r.example}]", "empty segment")]
    [TestCase("rules: [{match: 'quay.io/a?b', target: r.example}]", "'a?b' is not valid in a repository name")]
    [TestCase("rules: [{match: 'quay.io/*_', target: r.example}]", "'*_' is not valid in a repository name")]
    [TestCase("rules: [{match: quay.io, target: 'index.docker.io/{registry}'}]", "could be any organisation on Docker Hub")]
    [TestCase("rules: [{match: quay.io, target: 'my_harbor.example.com/{registry}'}]", "rules[0].target: must be a registry")]
    [TestCase("rules: [{match: quay.io, target: '-r.example/{registry}'}]", "must be a registry")]
    [TestCase("proxyUrl: 'harbor.example.com:/{registry}'", "must be a registry")]
    [TestCase("rules: [{match: quay.io, target: r.example, pullSecret: a..b}]", "pullSecret: must be the name of a Secret")]
    [TestCase("rules: [{match: docker.io/a**b, target: r.example}]", "whole segment")]
    [TestCase("rules: [{match: 'docker.io/nginx:1', target: r.example}]", "use matchRegex to match tags or digests")]
    [TestCase("rules: [{matchRegex: '(', replace: 'r.example/$1'}]", "invalid regular expression: Invalid pattern '('")]
    [TestCase("rules: [{matchRegex: 'quay\\.io/a)|(?:(.*)', replace: 'r.example/$1'}]", "invalid regular expression")]
    [TestCase("rules: [{matchRegex: '(a)(?=b)', replace: 'r.example/$1'}]", "matchRegex: invalid regular expression")]
    [TestCase("rules: [{matchRegex: '(.*)', replace: '$1.example/x'}]", "must start with the target registry")]
    [TestCase("rules: [{matchRegex: '(.*)', replace: 'r.example/$2'}]", "uses the group $2")]
    [TestCase("rules: [{matchRegex: '(.*)', replace: 'r.example/${name}'}]", "uses the group ${name}")]
    [TestCase("rules: [{matchRegex: '(.*)', replace: 'r.example/UP/$1'}]", "upper-case")]
    [TestCase("rules: [{matchRegex: '(.*)'}]", "replace: is required")]
    [TestCase("rules: [{matchRegex: '(.*)', replace: 'mirror/$1'}]", "must start with the target registry")]
    [TestCase("rules: [{matchRegex: 'quay.io/(.*)', replace: 'docker.io/$1'}]", "replace: could point anywhere on Docker Hub")]
    [TestCase(
        "rules: [{matchRegex: '[[:alnum:]]+', replace: 'r.example/x'}]",
        "contains [:alnum:], which has a different meaning here than in Go"
    )]
    [TestCase(
        "registries: [{host: r.example, createRepositories: {tags: {? [a] : b, ? [c] : d}}}]",
        "must be a mapping of names to strings"
    )]
    [TestCase("rules: docker.io", "rules: must be a list, each item a mapping")]
    [TestCase("tlsCertPath: ''", "c.yaml:1:14: tlsCertPath: must be a file path")]
    [TestCase("registries: [{host: r.example, caFile: ''}]", "caFile: must be a file path")]
    [TestCase("ignoreImages: {a: b}", "ignoreImages: must be a list, each item a string")]
    [TestCase("patchLabel: {key: 'a b'}", "must be a label key")]
    [TestCase("patchLabel: {value: '-x'}", "must be a label value")]
    [TestCase("{populate: 5, admissionPolicy: {name: swap}}", "populate: must be a mapping of keys to values")]
    [TestCase("{populate: {policy: none, Policy: gate}, admissionPolicy: {name: swap}}", "populate.Policy: duplicate key")]
    [TestCase("populate: {deadline: soon}", "must be a duration such as")]
    [TestCase("populate: {deadline: 1m}", "from 10ms to 29s")]
    [TestCase("populate: {recheckAfter: 128000000h128000000h}", "from 0 to 8760h")]
    [TestCase("populate: {platforms: [amd64]}", "populate.platforms[0]: must be os/architecture")]
    [TestCase("populate: {proxyCaches: [{region: x}]}", "exactly one of patternEcrProxyCache and regexURL")]
    [TestCase("populate: {proxyCaches: [{patternEcrProxyCache: '(a)'}]}", "must have 5 groups")]
    [TestCase("populate: {proxyCaches: [{regexURL: '(a)'}]}", "replacementOCI: is required")]
    [TestCase("registries: [{auth: basic, host: r.example, passwordFrom: {env: A}}]", "usernameFrom: is required")]
    [TestCase(
        "registries: [{auth: basic, host: r.example, usernameFrom: {env: A}, passwordFrom: {env: A, file: b}}]",
        "must be either {env: NAME} or {file: PATH}"
    )]
    [TestCase("registries: [{auth: none, host: r.example}]", "must be one of anonymous, basic, dockerConfig, ecr, google, azure")]
    [TestCase(
        "registries: [{auth: ecr, host: images.example.com}]",
        "region: is required with auth: ecr, since the host name images.example.com does not contain it"
    )]
    [TestCase("registries: [{auth: google, host: r.example, awsProfile: a}]", "awsProfile: requires auth: ecr")]
    [TestCase("registries: [{auth: ecr, host: public.ecr.aws, googleKeyFile: a}]", "googleKeyFile: requires auth: google")]
    [TestCase("registries: [{auth: anonymous, host: r.example, azureClientId: a}]", "azureClientId: requires auth: azure")]
    [TestCase("registries: [{auth: azure, host: r.example, azureTenantId: a}]", "azureTenantId: requires azureClientId")]
    [TestCase("registries: [{host: r.example, dockerConfigFile: a}]", "dockerConfigFile: requires auth: dockerConfig")]
    [TestCase("registries: [{auth: anonymous}]", "host: is required")]
    [TestCase("registries: [{host: 'https://r.example'}]", "is not a registry host")]
    [TestCase("registries: [{host: r.example}, {host: r.example}]", "already has an entry")]
    [TestCase("registries: [{auth: ecr, host: r.example, region: 'eu-west-1 '}]", "c.yaml:1:51: registries[0].region: must be a region")]
    [TestCase("registries: [{host: r.example, region: ''}]", "region: must be a region, such as eu-central-1: 1 to 63 lower-case letters")]
    [TestCase("registries: [{auth: ecr, host: r.example, region: 'evil.example/'}]", "region: must be a region")]
    [TestCase("registries: [{auth: ecr, host: r.example, region: 'u:p@evil.example/'}]", "region: must be a region")]
    [TestCase("registries: [{auth: ecr, host: r.example, region: '['}]", "region: must be a region")]
    [TestCase("registries: [{auth: ecr, host: r.example, region: [a]}]", "region: must be a string")]
    [TestCase(
        "registries: [{host: 'a:99999'}]",
        "registries[0].host: 'a:99999' is not a registry host: a port is from 1 to 65535; it must"
    )]
    [TestCase("registries: [{host: [a]}]", "host: must be a string")]
    [TestCase("registries: [{host: r.example, auth: basic, usernameFrom: a, passwordFrom: {env: A}}]", "usernameFrom: must be a mapping")]
    [TestCase("certificates: {secret: [a], dnsNames: [b]}", "certificates.secret: must be a string")]
    [TestCase("certificates: {secret: a, dnsNames: [[b]]}", "certificates.dnsNames[0]: must be a string")]
    [TestCase("proxyUrl: 'a:0'", "proxyUrl: must be a registry with", "'a:0' is not a registry host: a port is from 1 to 65535")]
    [TestCase("rules: [{match: quay.io, target: 'a:65536/x'}]", "'a:65536' is not a registry host: a port is from 1 to 65535")]
    [TestCase("rules: [{match: quay.io, target: 'a:0/{registry}'}]", "'a:0' is not a registry host: a port is from 1 to 65535")]
    [TestCase("rules: [{match: 'a:99999', target: r.example}]", "'a:99999' is not a registry host: a port is from 1 to 65535")]
    [TestCase("rules: [{match: '*.x:0', target: 'r.example/{registry}'}]", "'*.x:0' is not a registry host: a port is from 1 to 65535")]
    [TestCase("rules: [{matchRegex: 'quay.io/(.*)', replace: 'a:99999/$1'}]", "'a:99999' is not a registry host: a port is from 1 to")]
    [TestCase("rules: [{match: [a], target: r.example}]", "rules[0].match: must be a string")]
    [TestCase("rules: [{matchRegex: {a: b}, replace: r.example/x}]", "rules[0].matchRegex: must be a string")]
    [TestCase("rules: [{match: quay.io, target: [a]}]", "rules[0].target: must be a string")]
    [TestCase("port: 9090", "managementPort: must differ from port")]
    public void A_fault_is_reported_with_its_place_and_what_is_allowed(string text, params string[] messages) =>
        Assert.That(FaultsOf(text).Single(), Does.Contain(messages[0]).Or.Contain(messages[^1]));

    [TestCase("registries: [{host: 'http://me:secret@r.example'}]", "'http://***@r.example' is not a registry host")]
    [TestCase("registries: [{host: 'me:secret@r.example/x'}]", "'***@r.example/x' is not a registry host")]
    [TestCase("rules: [{match: 'me:secret@r.example/x', target: r.example}]", "'***@r.example' is not a registry host")]
    [TestCase("rules: [{matchRegex: 'https://me:secret@r.example(', replace: r.example/x}]", "'https://***@r.example('")]
    [TestCase("ignoreImages: ['me:secret@r.example/x']", "ignoreImages[0]: ")]
    [TestCase("'http://me:secret@r.example': x", "unknown key 'http://***@r.example'")]
    public void A_fault_does_not_repeat_the_password_of_an_address(string text, string message) =>
        Assert.That(string.Join('\n', FaultsOf(text)), Does.Contain(message).And.Not.Contain("secret"));

    [Test]
    public void Faults_are_in_the_order_of_the_files_lines() =>
        Assert.That(
            FaultsOf("rules: 5\npopulate: []\nport: abc\nfoo: bar\nlogLevel: loud\n").Select(fault => fault.Split(':')[1]),
            Is.EqualTo(["1", "2", "3", "4", "5"])
        );

    [Test]
    public void All_faults_are_reported_at_once() =>
        Assert.That(FaultsOf("port: x\nrules:\n  - match: nope\n    target: UP/x\nregistries:\n  - hots: a\n"), Has.Count.EqualTo(5));

    [Test]
    public void All_faults_of_a_list_and_of_a_rule_are_reported_at_once() =>
        Assert.That(
            FaultsOf(
                """
                ignoreImages: [UPPER, [a], {b: c}, nginx, "x@y"]
                rules:
                  - quay.io
                  - {match: docker.io//x, matchRegex: "(", target: "https://r.example", replace: "$1"}
                """
            ),
            Has.Count.EqualTo(10)
                .And.One.StartsWith("c.yaml:1:16: ignoreImages[0]: invalid image 'UPPER': ")
                .And.One.EqualTo("c.yaml:1:23: ignoreImages[1]: must be a string")
                .And.One.EqualTo("c.yaml:1:28: ignoreImages[2]: must be a string")
                .And.One.StartsWith("c.yaml:1:43: ignoreImages[4]: ")
                .And.One.EqualTo("c.yaml:3:5: rules[0]: must be a mapping")
                .And.One.StartsWith("c.yaml:4:13: rules[1].match: must be a registry")
                .And.One.StartsWith("c.yaml:4:13: rules[1].match: exactly one of match and matchRegex is required")
                .And.One.StartsWith("c.yaml:4:39: rules[1].matchRegex: invalid regular expression")
                .And.One.StartsWith("c.yaml:4:52: rules[1].target: must be a registry")
                .And.One.StartsWith("c.yaml:4:82: rules[1].replace: must start with the target registry")
        );

    [TestCase("- a", "must be a mapping")]
    [TestCase("a: [", "invalid YAML")]
    [TestCase("a: 1\n---\nb: 2", "must have one document")]
    public void An_invalid_configuration_is_reported(string text, string message) =>
        Assert.That(FaultsOf(text).Single(), Does.Contain(message));

    [Test]
    public void A_file_that_is_missing_is_reported([Values("/nowhere/c.yaml", "", "a\0b")] string file) =>
        Assert.That(
            () => ConfigurationReader.Read(file, NoEnvironment),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains(file).And.Message.Contains("cannot be read")
        );

    private static ProxySwapperOptions Read(string text, Dictionary<string, string>? environment = null) =>
        ConfigurationReader.ReadText("c.yaml", text, environment is null ? NoEnvironment : new EnvironmentVariables(environment));

    private static List<string> FaultsOf(string text, Dictionary<string, string>? environment = null) =>
        [.. Assert.Throws<ConfigurationException>(() => Read(text, environment))!.Faults.Select(fault => fault.ToString())];
}
