using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.AdmissionPolicies;

/// <summary>
/// Runs every folder of testdata/policy: policy.yaml is the policy of config.yaml, and refused.txt what of it CEL cannot say. A new case
/// is a new folder with config.yaml, and a run with UPDATE_GOLDEN=1.
/// </summary>
[TestFixture]
internal sealed class PolicyGoldenTests
{
    private static readonly string Root = SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "policy");

    private static IEnumerable<TestCaseData> Cases() =>
        Directory
            .GetDirectories(Root)
            .Order(StringComparer.Ordinal)
            .Select(folder => new TestCaseData(folder).SetName($"{{m}}({Path.GetFileName(folder)})"));

    [TestCaseSource(nameof(Cases))]
    public void Case(string folder)
    {
        var (policy, refusals) = PolicyText.Of(File.ReadAllText(Path.Combine(folder, "config.yaml")));
        Assert.Multiple(() =>
        {
            AssertFile(Path.Combine(folder, "policy.yaml"), policy);
            AssertFile(Path.Combine(folder, "refused.txt"), refusals);
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

    private static void AssertFile(string file, string actual)
    {
        if (SourceTree.UpdatesGolden)
        {
            if (actual.Length > 0)
                File.WriteAllText(file, actual);
            else
                File.Delete(file);
        }
        Assert.That(
            actual,
            Is.EqualTo(File.Exists(file) ? File.ReadAllText(file) : ""),
            $"{file} is not up to date: run the tests with UPDATE_GOLDEN=1 and look at what changed"
        );
    }
}
