using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The tables that list the program's permissions, compared with the roles of all value sets.</summary>
[TestFixture]
internal sealed class ChartRightsManualTests
{
    /// <summary>Roles by the end of their names, and what the row of their permissions says about when they exist.</summary>
    private static readonly (string Role, string When)[] Features =
    [
        ("-backfill", "populate.backfill`"),
        ("-certificates", "`certificates.mode"),
        ("-policy", "`webhook.mode: policy`"),
        ("-pull-secrets", "`pullSecrets.enabled`"),
        ("-rule-secrets", "rules[].pullSecret`"),
        ("-switch", "`rbac.switchRole`"),
        ("-test", "`test.enabled`"),
        ("-uninstall", "`uninstall.removeWebhookFirst`"),
    ];

    [TestCase("docs/security-model.md", "| permission | purpose | when |", 0, 2)]
    [TestCase("chart/README.md", "| feature | right |", 1, 0)]
    public async Task The_manual_has_a_row_for_every_permission_that_a_role_grants(string page, string header, int right, int when)
    {
        var rows = File.ReadLines(SourceTree.PathOf(page))
            .SkipWhile(line => line != header)
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|'))
            .Select(cells => new Row(cells[right].Trim(), cells[when].Trim()))
            .ToList();
        var rights = new HashSet<Right>();
        foreach (var values in HelmChart.ValueSets)
            rights.UnionWith(Rights(await HelmChart.ObjectsAsync(values)));
        var matches = rights.ToDictionary(item => item, item => rows.FindAll(row => IsIn(row, item)));
        Assert.Multiple(() =>
        {
            Assert.That(matches.Where(match => match.Value.Count == 0).Select(match => match.Key), Is.Empty, "permissions without a row");
            // So that a row that is forgotten, or whose permission is gone, is noticed.
            Assert.That(
                rows.Where(row => !row.Right.StartsWith("none", StringComparison.Ordinal))
                    .Except(matches.Values.Where(match => match.Count == 1).SelectMany(match => match)),
                Is.Empty,
                "rows that no permission needs"
            );
        });
    }

    private static IEnumerable<Right> Rights(IReadOnlyList<JsonObject> objects)
    {
        var granted = (
            from role in objects
            where (string?)role["kind"] is "Role" or "ClusterRole"
            from rule in role["rules"]!.AsArray()
            from resource in rule["resources"]!.AsArray()
            select (
                Name: (string)role["metadata"]!["name"]!,
                IsOfNamespace: (string?)role["kind"] == "Role",
                Resource: (string)resource!,
                Verbs: string.Join(' ', rule["verbs"]!.AsArray().Select(verb => (string?)verb))
            )
        ).ToList();
        var populates = granted.Exists(item => item.Resource == "leases" && item.Verbs.Contains("watch", StringComparison.Ordinal));
        foreach (var (name, isOfNamespace, resource, verbs) in granted)
        {
            var when =
                Array.Find(Features, feature => name.EndsWith(feature.Role, StringComparison.Ordinal)).When
                ?? resource switch
                {
                    "pods" when verbs.Contains("patch", StringComparison.Ordinal) => "`rbac.gates`",
                    "pods" => populates ? "population" : "`webhook.mode: policy`",
                    "events" when isOfNamespace => "proxyHealth.fallback`",
                    "events" => populates ? "population" : "`rbac.gates`",
                    "leases" => "population",
                    _ => $"the role {name}",
                };
            yield return new(when, resource, verbs);
        }
    }

    private static bool IsIn(Row row, Right right) =>
        row.When.Contains(right.When, StringComparison.Ordinal)
        && row.Right.Contains(DisplayName(right.Resource), StringComparison.Ordinal)
        && right.Verbs.Split(' ').All(verb => Regex.IsMatch(row.Right, $@"\b{verb}\b"));

    private static string DisplayName(string resource) =>
        resource switch
        {
            "pods" => "Pods",
            "leases" => "Lease",
            "events" => "Events",
            "secrets" => "Secret",
            "serviceaccounts" => "ServiceAccounts",
            "configmaps" => "ConfigMap",
            "namespaces" => "namespace",
            "mutatingwebhookconfigurations" => "webhook configuration",
            "mutatingadmissionpolicies" => "olicy",
            "mutatingadmissionpolicybindings" => "binding",
            _ => "that have Pod templates",
        };

    private sealed record Row(string Right, string When);

    private sealed record Right(string When, string Resource, string Verbs);
}
