using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The pages that list the program's permissions, compared with the roles of all value sets.</summary>
[TestFixture]
internal sealed class ChartRightsManualTests
{
    [TestCase("docs/security-model.md")]
    [TestCase("chart/README.md")]
    public async Task The_manual_has_every_permission_that_a_role_grants(string page)
    {
        var rows = File.ReadAllLines(SourceTree.PathOf(page)).Where(line => line.StartsWith('|')).ToList();
        var objects = new List<JsonObject>();
        foreach (var values in HelmChart.ValueSets)
            objects.AddRange(await HelmChart.ObjectsAsync(values));
        var missing = objects
            .Where(item => (string?)item["kind"] is "Role" or "ClusterRole")
            .SelectMany(role => role["rules"]!.AsArray())
            .SelectMany(rule =>
                rule!["resources"]!.AsArray().Select(resource => (Resource: (string)resource!, Verbs: rule["verbs"]!.AsArray()))
            )
            .Where(right =>
                !rows.Exists(row =>
                    row.Contains(InWords(right.Resource), StringComparison.Ordinal)
                    && right.Verbs.All(verb => Regex.IsMatch(row, $@"\b{verb}\b"))
                )
            )
            .Select(right => $"{right.Resource}: {string.Join(',', right.Verbs)}");
        Assert.That(missing.Distinct(), Is.Empty);
    }

    private static string InWords(string resource) =>
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
}
