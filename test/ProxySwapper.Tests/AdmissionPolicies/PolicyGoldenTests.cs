using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.AdmissionPolicies;

/// <summary>
/// Runs every folder of testdata/policy: policy.yaml is the policy for config.yaml, and rejected.txt what CEL cannot express. A new case
/// is a new folder with config.yaml and a run with UPDATE_GOLDEN=1.
/// </summary>
[TestFixture]
internal sealed class PolicyGoldenTests
{
    private static IEnumerable<TestCaseData> Cases() => GoldenFile.Cases("policy");

    [TestCaseSource(nameof(Cases))]
    public void Case(string folder)
    {
        var (policy, rejections) = PolicyText.Of(File.ReadAllText(Path.Combine(folder, "config.yaml")));
        Assert.Multiple(() =>
        {
            GoldenFile.AssertMatches(policy, folder, "policy.yaml");
            GoldenFile.AssertMatches(rejections, folder, "rejected.txt");
        });
    }

    [TestCaseSource(nameof(Cases))]
    public void Yaml_is_the_same_object_as_json(string folder)
    {
        var compiled = PolicyText.Compile(File.ReadAllText(Path.Combine(folder, "config.yaml")));
        var json = PolicyText.Objects.PolicyOf(compiled.Policy);
        using var yaml = new StringWriter();
        YamlWriter.Write(yaml, [json]);
        Assert.That(YamlObjects.Read(yaml.ToString()).Single()!.ToJsonString(), Is.EqualTo(json.ToJsonString()));
    }

    [Test]
    public void There_are_cases() => Assert.That(Cases().Count(), Is.AtLeast(12));
}
