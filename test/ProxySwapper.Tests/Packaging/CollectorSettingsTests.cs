using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Packaging;

/// <summary>The garbage collector's settings in the published program. The runtime ignores names that it does not know.</summary>
[TestFixture]
internal sealed class CollectorSettingsTests
{
    /// <summary>Read under this name, but not listed by the runtime.</summary>
    private const string Unlisted = "GCgen0size";

    [Test]
    public void The_runtime_knows_each_setting() =>
        Assert.That(
            Settings().Select(setting => setting.Name),
            Is.Not.Empty.And.SubsetOf(GC.GetConfigurationVariables().Keys.Append(Unlisted))
        );

    [Test]
    public void The_budget_for_new_objects_is_limited_since_it_otherwise_grows_with_what_survives() =>
        Assert.That(Settings(), Is.SupersetOf(new[] { (Unlisted, "200000"), ("GCGen0MaxBudget", "400000") }));

    private static IEnumerable<(string Name, string Value)> Settings() =>
        Regex
            .Matches(
                File.ReadAllText(SourceTree.PathOf("src", "ProxySwapper", "ProxySwapper.csproj")),
                "--runtimeopt:(?<name>[^=;\"]+)=(?<value>[0-9A-Fa-f]+)"
            )
            .Select(option => (option.Groups["name"].Value, option.Groups["value"].Value));
}
