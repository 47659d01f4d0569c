using ProxySwapper.Checks;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Checks;

/// <summary>What kind a file is, and what is wrong with it where.</summary>
[TestFixture]
internal sealed class FileValidationTests
{
    private const string Rule = "rules: [{match: docker.io, target: r.example/hub}]";

    [TestCase(Rule, "Configuration")]
    [TestCase(Rule + "\ncertificates: {secret: tls, dnsNames: [a.b.svc]}", "Configuration", TestName = "A key of values too: certificates")]
    [TestCase("proxyUrl: r.example\nreplicas: 3", "ChartValues")]
    [TestCase("proxyUrl: r.example\ncertificates: {mode: selfSigned}", "ChartValues")]
    [TestCase("nodeSelector: {a: b}", "ChartValues")]
    [TestCase("config: {" + Rule + "}", "ChartValues")]
    [TestCase("images: {a: {source: a, destination: r.example/a, mode: semver}}\nregistries: [{host: r.example}]", "MirrorFile")]
    [TestCase("PROXYURL: r.example\nSwapPolicy: exists", "Configuration", TestName = "Keys of a configuration in any case")]
    [TestCase("management: {token: {secret: page}}", "ChartValues")]
    [TestCase("management: {tokenFrom: {env: TOKEN}}", "Configuration")]
    [TestCase("", "Configuration")]
    [TestCase("proxyUrl: r.example", "Configuration,ChartValues")]
    [TestCase("registries: [{host: r.example}]", "Configuration")]
    public void Kinds_are_recognised_by_keys(string text, string kinds)
    {
        var validation = FileValidation.Create("file.yaml", text, null);
        Assert.That(validation.Faults, Is.Empty);
        Assert.That(string.Join(',', validation.Kinds), Is.EqualTo(kinds));
    }

    [TestCase("proxyUrl: r.example\nreplica: 3\nimage: {}", "ChartValues", "file.yaml:2:1: unknown key 'replica'; valid keys are image, ")]
    [TestCase("proxyUrl: r.example\nrule: []\nswapPolicy: exists", "Configuration", "file.yaml:2:1: unknown key 'rule'; valid keys are ")]
    [TestCase("certificates: {mode: own}\nproxyUrl: r.example", "ChartValues", "file.yaml:1:22: certificates.mode: must be ")]
    [TestCase("networkPolicy: {egressPorts: []}", "ChartValues", "file.yaml:1:30: networkPolicy.egressPorts: must have at least 1 item")]
    [TestCase("mode: semver", "MirrorFile", "file.yaml:1:1: images: is required: ")]
    [TestCase("nonsense: 1", "Configuration", "file.yaml:1:1: unknown key 'nonsense'; valid keys are ")]
    [TestCase("a: [", "Configuration", "file.yaml:2:1: invalid YAML: ")]
    public void A_file_with_mistakes_is_what_most_of_its_keys_are_of(string text, string kind, string fault)
    {
        var validation = FileValidation.Create("file.yaml", text, null);
        Assert.That(string.Join(',', validation.Kinds), Is.EqualTo(kind));
        Assert.That(validation.Faults.Select(found => found.ToString()), Has.One.StartsWith(fault));
    }

    /// <summary>A schema finds none of these; helm installs them, and the program does not start.</summary>
    [TestCase("config:\n  rules:\n    - matchRegex: \"(\"\n      replace: r.example/$1", "v:3:19: config.rules[0].matchRegex: ")]
    [TestCase("config:\n  port: 9090", "v:2:3: config.managementPort: must differ from port", TestName = "Two ports that are the same")]
    [TestCase("config:\n  populate: {reconcileEvery: 99999h}", "v:2:30: config.populate.reconcileEvery: must be a duration ")]
    [TestCase("proxyUrl: r.example/\nreplicas: 1", "v:1:11: proxyUrl: ")]
    [TestCase(
        "replicas: 1\nenv: [{name: PROXYSWAPPER_SWAP_POLICY, value: sometimes}]",
        "v:2:47: env[0]: PROXYSWAPPER_SWAP_POLICY: must be one of"
    )]
    [TestCase(
        "replicas: 1\nenv: [{name: PROXYSWAPPER_SWAPPOLICI, value: x}]",
        "v:2:46: env[0]: PROXYSWAPPER_SWAPPOLICI: unknown variable; "
    )]
    [TestCase(
        "webhook: {mode: policy}\nconfig:\n  rules: [{matchRegex: 'docker\\.io/(.*)(?=x)', replace: r.example/$1}]",
        "v:3:24: config.rules[0].matchRegex: ",
        TestName = "A rule that a policy cannot express"
    )]
    [TestCase(
        "mirror: {images: {a: {source: a, destination: r.example/a, semverRange: '>'}}}",
        "v:1:73: mirror.images.a.semverRange: ",
        TestName = "A mirror's range"
    )]
    public void Values_are_read_as_the_program_reads_what_the_chart_makes_of_them(string text, string fault)
    {
        var validation = FileValidation.Create("v", text, FileKind.ChartValues);
        Assert.That(validation.Faults.Select(found => found.ToString()), Has.One.StartsWith(fault).And.Exactly(1).Items);
    }

    /// <summary>What helm makes of them: <c>image: {tag: y}</c> gives it the image <c>…:true</c>.</summary>
    [TestCase("webhook: {enabled: True}")]
    [TestCase("webhook: {enabled: yes}")]
    [TestCase("webhook: {enabled: off}")]
    [TestCase("image: {tag: NaN}")]
    [TestCase("image: {tag: Infinity}")]
    [TestCase("image: {tag: 2026-01-02}")]
    [TestCase("image: {tag: '7'}")]
    [TestCase("image: {tag: !!str 7}")]
    [TestCase("replicas: 0x2")]
    [TestCase("replicas: 2.0")]
    [TestCase("replicas: +2")]
    [TestCase("image: {tag: yes}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: y}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: 0x10}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: 1_000}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: 0o17}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: .5}", "v:1:14: image.tag: must be a string")]
    [TestCase("image: {tag: -1e3}", "v:1:14: image.tag: must be a string")]
    [TestCase("webhook: {enabled: 'true'}", "v:1:20: webhook.enabled: must be a boolean")]
    [TestCase("replicas: 2.5", "v:1:11: replicas: must be an integer")]
    [TestCase("replicas: -0x2", "v:1:11: replicas: must be at least 1")]
    public void Values_have_the_types_that_helm_gives_them(string text, params string[] faults) =>
        Assert.That(FileValidation.Create("v", text, FileKind.ChartValues).Faults.Select(fault => fault.ToString()), Is.EqualTo(faults));

    /// <summary>helm removes keys that are null; those that the chart cannot do without are rejected by its schema.</summary>
    [TestCase("podAnnotations: null")]
    [TestCase("priorityClassName: null")]
    [TestCase("cloudIdentity: {aws: ~, google: {serviceAccount: }}")]
    [TestCase("image: {tag: null}")]
    [TestCase("image: null", "v:1:8: image: must not be null, which removes its default; leave the key out")]
    [TestCase("webhook:", "v:1:9: webhook: must not be null, which removes its default; leave the key out")]
    [TestCase("webhook: {mode: null}", "v:1:17: webhook.mode: must not be null, which removes its default; leave the key out")]
    public void Nulls_are_what_they_are_to_helm(string text, params string[] faults) =>
        Assert.That(FileValidation.Create("v", text, FileKind.ChartValues).Faults.Select(fault => fault.ToString()), Is.EqualTo(faults));

    [Test]
    public void Every_mistake_is_reported_once()
    {
        const string text = """
            replicas: many
            config:
              rules:
                - match: "*"
                  target: r.example/all
                  unknown: 1
              swapPolicy: sometimes
            mirror:
              images:
                a: {source: a}
            """;
        var validation = FileValidation.Create("v", text, null);
        Assert.That(validation.Kinds, Is.EqualTo(new[] { FileKind.ChartValues }));
        Assert.That(validation.Faults.Select(fault => fault.Line).Order(), Is.EqualTo(new[] { 1, 5, 6, 7, 10 }));
    }

    [Test]
    public void What_the_chart_makes_of_other_values_is_read_too()
    {
        const string text = """
            config: {rules: []}
            registryCache:
              enabled: true
              rewrite: true
              upstreams:
                - {name: quay, remoteUrl: "https://QUAY .io", port: 30500}
            """;
        Assert.That(
            FileValidation.Create("v", text, null).Faults.Select(fault => (fault.Line, fault.Key)),
            Is.EqualTo([(6, "registryCache.upstreams[0].remoteUrl")])
        );
    }

    [Test]
    public void Without_the_webhook_no_policy_has_to_express_rules()
    {
        const string text = """
            webhook: {enabled: false, mode: policy}
            mirror: {enabled: true, images: {a: {source: a, destination: b.example/a}}}
            """;
        Assert.That(FileValidation.Create("v", text, FileKind.ChartValues).Faults, Is.Empty);
    }

    [Test]
    public void Without_the_webhook_a_mirror_may_inherit_the_identity()
    {
        const string text = """
            webhook: {enabled: false}
            cloudIdentity: {azure: {clientId: 11111111-2222-3333-4444-555555555555}}
            mirror: {enabled: true, images: {a: {source: a, destination: b.example/a}}}
            """;
        Assert.That(FileValidation.Create("v", text, FileKind.ChartValues).Faults, Is.Empty);
    }

    [Test]
    public void A_word_that_helm_takes_for_a_boolean_is_one_for_contradictions_too()
    {
        const string text = """
            proxyUrl: a.example
            dryRun: on
            serviceAccount: {create: no, name: own}
            cloudIdentity: {aws: {roleArn: "arn:aws:iam::123456789012:role/x"}}
            mirror: {enabled: ENABLED, images: {a: {source: a, destination: b.example/a}}}
            """;
        var faults = new[] { "yes", "off" }.Select(word =>
            FileValidation.Create("v", text.Replace("ENABLED", word, StringComparison.Ordinal), FileKind.ChartValues).Faults
        );
        Assert.That(
            faults.Select(each => string.Join(' ', each.Select(fault => fault.Key))),
            Is.EqualTo(new[] { "", "cloudIdentity.aws.roleArn" })
        );
    }

    [Test]
    public void The_authority_of_a_certificate_of_ones_own_is_no_contradiction()
    {
        const string text = """
            proxyUrl: a.example
            certificates: {existingSecret: mine, caBundle: "-----BEGIN CERTIFICATE-----"}
            """;
        Assert.That(FileValidation.Create("v", text, FileKind.ChartValues).Faults, Is.Empty);
    }

    /// <summary>The chart's own sentences, which ChartSchemaTests has helm say.</summary>
    [TestCase("annotations-of-nobody")]
    [TestCase("annotations-without-webhook")]
    [TestCase("authority-of-another")]
    [TestCase("authority-of-another-where-cert-manager-is")]
    [TestCase("authority-of-nobody")]
    [TestCase("certificate-path")]
    [TestCase("certificates-twice")]
    [TestCase("client-without-webhook")]
    [TestCase("google-account-of-nobody")]
    [TestCase("issuer-and-secret")]
    [TestCase("issuer-of-no-use")]
    [TestCase("issuer-that-is-off")]
    [TestCase("no-certificate")]
    [TestCase("policy-by-configuration")]
    [TestCase("role-of-every-upstream")]
    [TestCase("role-of-no-cache")]
    [TestCase("role-of-no-mirror")]
    [TestCase("role-of-no-upstream")]
    [TestCase("role-of-nobody")]
    [TestCase("role-without-webhook")]
    [TestCase("secret-of-nobody")]
    [TestCase("secret-without-authority")]
    [TestCase("tenant-of-nobody")]
    public void Values_that_contradict_are_rejected_with_the_charts_sentence(string name)
    {
        const string Error = "# error: ";
        var file = Path.Combine(Chart, "rejected", $"{name}.yaml");
        var text = File.ReadAllText(file);
        var sentence = File.ReadLines(file).Single(line => line.StartsWith(Error, StringComparison.Ordinal))[Error.Length..];
        Assert.That(
            FileValidation.Create(file, text, FileKind.ChartValues).Faults.Select(fault => $"{fault.Key} {fault.Message}"),
            Has.One.StartsWith(sentence)
        );
    }

    /// <summary>They are those that the chart is rendered with in other tests, and its defaults.</summary>
    [TestCaseSource(nameof(ValueSets))]
    public void Every_value_set_of_the_chart_is_valid(string file)
    {
        var validation = FileValidation.Create(file, File.ReadAllText(file), FileKind.ChartValues);
        Assert.That(validation.Faults, Is.Empty);
    }

    private static string Chart => SourceTree.PathOf("test", "ProxySwapper.IntegrationTests", "testdata", "chart");

    private static IEnumerable<TestCaseData> ValueSets =>
        Directory
            .EnumerateFiles(Path.Combine(Chart, "values"))
            .Append(SourceTree.PathOf("chart", "values.yaml"))
            .Select(file => new TestCaseData(file).SetArgDisplayNames(Path.GetFileName(file)));
}
