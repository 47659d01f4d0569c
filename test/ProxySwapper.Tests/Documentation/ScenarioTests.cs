using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>Each scenario of the manual is complete: credentials for its targets, and everything that its values name.</summary>
[TestFixture]
internal sealed partial class ScenarioTests
{
    private static IEnumerable<TestCaseData> Scenarios =>
        from page in ManualPage.All
        where page.Path.StartsWith(Path.Combine("docs", "scenarios"), StringComparison.Ordinal)
        select new TestCaseData(page, YamlObjects.Read(page.Files("values.yaml").Single()).Single()).SetArgDisplayNames(page.Path);

    [TestCaseSource(nameof(Scenarios))]
    public void The_program_has_credentials_for_each_registry_that_it_copies_to(ManualPage page, JsonObject values)
    {
        var logins = values["dockerConfigSecret"] is { } secret
            ? page
                .ShellLines.Where(line => line.Contains($" docker-registry {secret} ", StringComparison.Ordinal))
                .Select(line => Server.Match(line).Groups["host"].Value)
            : [];
        var entries = values["config"]?["registries"]?.AsArray() ?? [];
        var known = logins.Concat(entries.Where(entry => entry!["auth"] is not null).Select(entry => (string)entry!["host"]!));
        Assert.That(HostsToCopyTo(values).Except(known), Is.Empty);
    }

    [TestCaseSource(nameof(Scenarios))]
    public void Whatever_the_values_name_is_created_in_the_releases_namespace(ManualPage page, JsonObject values)
    {
        string?[] names =
        [
            (string?)values["dockerConfigSecret"],
            .. (values["envFrom"]?.AsArray() ?? []).Select(source => (string?)source!["secretRef"]!["name"]),
            .. (values["caBundles"]?.AsArray() ?? []).Select(bundle => (string?)(bundle!["secret"] ?? bundle["configMap"])),
        ];
        var lines = page.ShellLines.ToList();
        foreach (var name in names.OfType<string>())
        {
            var created = lines.FindIndex(line => Created.Match(line) is { Success: true } match && match.Groups["name"].Value == name);
            Assert.That(created, Is.Not.Negative, $"{name} is not created");
            Assert.That(
                lines.IndexOf("kubectl create namespace proxyswapper"),
                Is.InRange(0, created - 1),
                "helm creates the namespace too late"
            );
        }
    }

    [TestCaseSource(nameof(Scenarios))]
    public void Variables_of_containers_come_from_the_secrets_that_the_page_creates(ManualPage page, JsonObject values)
    {
        var wanted =
            from entry in values["config"]?["registries"]?.AsArray() ?? []
            from key in new[] { "usernameFrom", "passwordFrom" }
            let variable = (string?)entry![key]?["env"]
            where variable is not null
            select variable;
        var literals = page.ShellLines.SelectMany(line => Literal.Matches(line)).Select(match => match.Groups["name"].Value);
        Assert.That(wanted.Except(literals), Is.Empty);
    }

    /// <summary>The registries of rules that populate.</summary>
    private static IEnumerable<string> HostsToCopyTo(JsonObject values)
    {
        var config = values["config"];
        if ((string?)config?["populate"]?["policy"] == "none")
            return [];
        return (config?["rules"]?.AsArray() ?? [])
            .Where(rule => (bool?)rule!["populate"] != false)
            .Select(rule => (string)rule!["target"]!)
            .Append((string?)values["proxyUrl"])
            .OfType<string>()
            .Select(target => target.Split('/')[0])
            .Distinct();
    }

    [GeneratedRegex(@"--docker-server=(?<host>\S+)")]
    private static partial Regex Server { get; }

    [GeneratedRegex(@"^kubectl -n proxyswapper create (?:secret \S+|configmap) (?<name>\S+) ")]
    private static partial Regex Created { get; }

    [GeneratedRegex(@"--from-literal=(?<name>\w+)=")]
    private static partial Regex Literal { get; }
}
