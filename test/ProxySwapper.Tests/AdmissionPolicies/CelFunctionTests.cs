using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.AdmissionPolicies;

/// <summary>
/// API servers of 1.33 (v1alpha1) and later know every function that a policy calls. An API server accepts in new objects only what its
/// predecessor knew too, so that it can be rolled back: nothing may be newer than 1.32.
/// </summary>
[TestFixture]
internal sealed partial class CelFunctionTests
{
    /// <summary>The first minor version of Kubernetes whose CEL has everything that a policy calls.</summary>
    private const int Newest = 32;

    /// <summary>
    /// Functions and macros, and the minor version of Kubernetes that added them, 0 for the first with CEL
    /// (<see href="https://kubernetes.io/docs/reference/using-api/cel/"/>).
    /// </summary>
    private static readonly Dictionary<string, int> Since = new()
    {
        // https://github.com/google/cel-spec/blob/master/doc/langdef.md
        ["has"] = 0,
        ["map"] = 0,
        ["filter"] = 0,
        ["exists"] = 0,
        ["size"] = 0,
        ["contains"] = 0,
        ["startsWith"] = 0,
        ["endsWith"] = 0,
        ["matches"] = 0,
        ["string"] = 0,
        ["bytes"] = 0,
        // The extended strings.
        ["indexOf"] = 0,
        ["join"] = 0,
        ["lowerAscii"] = 0,
        ["replace"] = 0,
        ["split"] = 0,
        ["substring"] = 0,
        // Kubernetes' lists and regular expressions.
        ["max"] = 0,
        ["min"] = 0,
        ["sum"] = 0,
        ["find"] = 0,
        ["orValue"] = 28,
        // The extended strings, version 2.
        ["format"] = 29,
        ["transformList"] = 32,
        ["transformMapEntry"] = 32,
        // The extended lists.
        ["distinct"] = 34,
        ["first"] = 34,
        ["flatten"] = 34,
        ["range"] = 34,
        ["slice"] = 34,
        ["sort"] = 34,
    };

    private static IEnumerable<TestCaseData> Cases() =>
        Directory
            .GetDirectories(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "policy"))
            .Order(StringComparer.Ordinal)
            .Select(folder => new TestCaseData(folder).SetName($"{{m}}({Path.GetFileName(folder)})"));

    [TestCaseSource(nameof(Cases))]
    public void A_policy_calls_nothing_newer_than_what_it_requires(string folder)
    {
        var policy = PolicyText.Compile(File.ReadAllText(Path.Combine(folder, "config.yaml"))).Policy;
        var called = policy
            .Conditions.Concat(policy.Variables)
            .Select(item => item.Expression)
            .Append(policy.Mutation)
            .SelectMany(expression => Call().Matches(Inert().Replace(expression, "''")).Select(match => match.Groups[1].Value))
            .ToHashSet();
        Assert.That(called, Has.Count.GreaterThan(10).And.Contains("orValue").And.Contains("transformList"));
        Assert.That(called.Except(Since.Keys), Is.Empty, "functions without their version in this test's table");
        Assert.That(called.Where(name => Since[name] > Newest), Is.Empty);
    }

    /// <summary>Comments, and string literals of each kind.</summary>
    [GeneratedRegex("""//[^\n]*|r'[^']*'|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Inert();

    [GeneratedRegex(@"([A-Za-z_]\w*)\(")]
    private static partial Regex Call();
}
