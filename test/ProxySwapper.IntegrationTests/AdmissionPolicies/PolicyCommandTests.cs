using System.Text.Json.Nodes;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>The command <c>policy</c>, run as users do.</summary>
[TestFixture]
internal sealed class PolicyCommandTests : IDisposable
{
    private const string Rejected = "rules[1].matchRegex: cannot be used in CEL";

    private readonly TemporaryFolder _folder = new();
    private string _config = "";

    [SetUp]
    public async Task WriteAsync()
    {
        _config = _folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(
            _config,
            """
            rules:
              - {match: docker.io, target: r.example}
              - {matchRegex: '\p{Ll}+\.io/.*', replace: r.example/one:1, allowSharedTarget: true}
            swapPolicy: exists
            """
        );
    }

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task What_CEL_cannot_express_is_rejected_with_its_line_and_nothing_is_printed()
    {
        var (exitCode, output, error) = await RunAsync();
        Assert.Multiple(() =>
        {
            Assert.That(exitCode, Is.EqualTo(2));
            Assert.That(output, Is.Empty);
            Assert.That(error, Does.Contain($"{_config}:3:").And.Contain(Rejected).And.Contain($"{_config}:4:").And.Contain("swapPolicy"));
        });
    }

    [Test]
    public async Task Partial_leaves_it_out_and_lists_it()
    {
        var (exitCode, output, error) = await RunAsync("--partial");
        var policy = YamlObjects.Read(output)[0];
        Assert.Multiple(() =>
        {
            Assert.That(exitCode, Is.Zero);
            Assert.That(
                error.TrimEnd().Split('\n'),
                Has.Length.EqualTo(2)
                    .And.All.StartsWith("not expressible in CEL, left out, so ")
                    .And.All.Contains($": {_config}:")
                    .And.Some.Contains("later rules apply to its images, and images at its target are left unchanged")
                    .And.Some.Contains(Rejected)
                    .And.Some.Contains("swapPolicy")
            );
            Assert.That(output, Does.Contain("rules[0] (line 2): docker.io -> r.example/").And.Not.Contain("rules[1] (line 3): "));
            Assert.That(output, Does.Contain("Where rules[1] (line 3) sends images."));
            Assert.That((string?)policy["kind"], Is.EqualTo("MutatingAdmissionPolicy"));
        });
    }

    [TestCaseSource(nameof(NeverLeftOut))]
    public async Task What_cannot_be_left_out_is_an_error_with_partial_too(string configuration, string key)
    {
        await File.WriteAllTextAsync(_config, configuration);
        var (exitCode, output, error) = await RunAsync("--partial");
        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(error, Does.Contain(_config).And.Contain($" {key}: "));
    }

    private static IEnumerable<TestCaseData> NeverLeftOut()
    {
        var namespaces = string.Join(", ", Enumerable.Range(0, 3000).Select(index => $"team-number-{index}"));
        yield return Case("long", $"proxyUrl: r.example\nignoreNamespaces: [{namespaces}]", "ignoreNamespaces");
        var rules = Enumerable
            .Range(0, 400)
            .Select(index => $"  - {{match: '*.r{index}.example/**/app-*', target: t.example/{index}, allowSharedTarget: true}}\n");
        yield return Case("costly", $"rules:\n{string.Concat(rules)}", "rules");
        yield return Case(
            "a condition of the same name",
            "proxyUrl: r.example\nadmissionPolicy: {matchConditions: [{name: not-opted-out, expression: 'true'}]}",
            "admissionPolicy.matchConditions[0].name"
        );
        yield return Case("a dry run", "proxyUrl: r.example\ndryRun: true", "dryRun");
        yield return Case("no rules", "logLevel: info", "rules");
        yield return Case(
            "no rules that CEL can express",
            "rules: [{matchRegex: '\\p{Ll}+/.*', replace: r.example/a:1, allowSharedTarget: true}]",
            "rules"
        );
        static TestCaseData Case(string name, string configuration, string key) =>
            new TestCaseData(configuration, key).SetName($"{{m}}({name})");
    }

    /// <summary>The fields of the three versions are the same: what a server of v1 makes of the policy holds for each.</summary>
    [Test]
    public async Task Each_version_and_format_has_the_same_policy_and_binding()
    {
        var (_, yaml, _) = await RunAsync("--partial", "--name", "other");
        var (_, json, _) = await RunAsync("--partial", "--name", "other", "-o", "json");
        var list = JsonNode.Parse(json)!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)list["kind"], Is.EqualTo("List"));
            Assert.That(JsonNode.DeepEquals(list["items"], new JsonArray([.. YamlObjects.Read(yaml)])), yaml);
            Assert.That((string?)list["items"]![1]!["spec"]!["policyName"], Is.EqualTo("other"));
        });
        foreach (var version in new[] { "v1beta1", "v1alpha1" })
        {
            (_, json, _) = await RunAsync("--partial", "--api-version", version, "--name", "other", "-o", "json");
            foreach (var item in list["items"]!.AsArray())
                item!["apiVersion"] = $"admissionregistration.k8s.io/{version}";
            Assert.That(JsonNode.DeepEquals(JsonNode.Parse(json), list), json);
        }
    }

    [Test]
    public async Task Validate_rejects_what_the_policy_of_serve_could_not_express()
    {
        var valid = await ProxySwapperProgram.RunAsync(["validate", _config]);
        Assert.That(valid.ExitCode, Is.Zero, "the webhook can");
        await File.AppendAllTextAsync(_config, "\nadmissionPolicy: {name: swap}\n");
        var (exitCode, _, error) = await ProxySwapperProgram.RunAsync(["validate", _config]);
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(error, Does.Contain($"{_config}:3:").And.Contain(Rejected).And.Contain($"{_config}:4:").And.Contain("swapPolicy"));
    }

    [Test]
    public async Task A_name_that_no_object_can_have_is_rejected()
    {
        var (exitCode, output, error) = await RunAsync("--partial", "--name", "Not_A_Name");
        Assert.That((exitCode, output), Is.EqualTo((2, "")));
        Assert.That(error, Does.Contain("--name must be an object's name"));
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync(["policy", "--config", _config, .. arguments]);
}
