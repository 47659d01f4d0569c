using System.Text;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Packaging;

/// <summary>The garbage collector's settings in the published program. The runtime ignores names that it does not know.</summary>
[TestFixture]
internal sealed class CollectorSettingsTests
{
    /// <summary>Read under these names, but not listed by the runtime, since they have no public ones: it contains their names.</summary>
    private static readonly string[] Unlisted = ["GCgen0size", "GCGen1MaxBudget"];

    [Test]
    public void The_runtime_knows_each_setting() =>
        Assert.That(
            Settings().Select(setting => setting.Name),
            Is.Not.Empty.And.SubsetOf(GC.GetConfigurationVariables().Keys.Concat(Unlisted))
        );

    [TestCaseSource(nameof(Unlisted))]
    public void The_runtime_contains_the_names_that_it_does_not_list(string name)
    {
        var runtime = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libcoreclr.so"));
        Assert.That(runtime.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"{name}\0")), Is.Positive);
    }

    [Test]
    public void The_budget_for_new_objects_is_limited_since_it_otherwise_grows_with_what_survives() =>
        Assert.That(
            Settings(),
            Is.SupersetOf(new[] { ("GCgen0size", "200000"), ("GCGen0MaxBudget", "400000"), ("GCGen1MaxBudget", "800000") })
        );

    private static IEnumerable<(string Name, string Value)> Settings() =>
        Regex
            .Matches(
                File.ReadAllText(SourceTree.PathOf("src", "ProxySwapper", "ProxySwapper.csproj")),
                "--runtimeopt:(?<name>[^=;\"]+)=(?<value>[0-9A-Fa-f]+)"
            )
            .Select(option => (option.Groups["name"].Value, option.Groups["value"].Value));
}
