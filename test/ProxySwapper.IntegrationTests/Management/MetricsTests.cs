using System.Text.RegularExpressions;
using ProxySwapper.IntegrationTests.Population;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Management;

/// <summary>The metrics that the built program exports at <c>/metrics</c>, compared with docs/metrics.md.</summary>
[TestFixture]
internal sealed partial class MetricsTests
{
    /// <summary>Exported by other commands or modes, where they start at 0 too, or a gauge of what registries say.</summary>
    private static readonly string[] Elsewhere =
    [
        "proxyswapper_admission_policy_applied_total",
        "proxyswapper_credential_requests_total",
        "proxyswapper_registry_ratelimit_remaining",
    ];

    [Test]
    public async Task What_is_exported_is_what_the_manual_lists_with_its_type_and_its_labels()
    {
        await using var scene = await GateScene.CreateAsync();
        var (source, _) = scene.AddImage("app", 331);
        var start = await StartAsync(scene);
        var counted = MetricsPage.Read().Where(metric => metric.Type is "counter" or "histogram").Select(metric => metric.Name).ToHashSet();
        Assert.That(
            counted.Except(Elsewhere).Except(start.Keys.Select(FamilyOf)),
            Is.Empty,
            "counters and histograms that are not there from the start"
        );
        Assert.That(
            start
                .Where(series => counted.Contains(FamilyOf(series.Key)) && series.Value != 0)
                .Select(series => FamilyOf(series.Key))
                .Distinct(),
            // The process has run, and checked the access to the downstream.
            Is.SubsetOf(["process_cpu_seconds_total", "dotnet_gc_collections_total", "proxyswapper_registry_requests_total"])
        );
        var replica = await scene.StartReplicaAsync();
        await scene.CreateAsync(GateScene.Pod("web", source));
        await scene.ReleasedAsync("web");
        await scene.CreateAsync(GateScene.Pod("lost", $"{scene.Upstream.Address}/team/nowhere:1"));
        await scene.ReleasedAsync("lost");
        var text = "";
        await TestWait.UntilAsync(
            async () =>
                (text = await replica.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Contains(
                    "proxyswapper_downstream_access{",
                    StringComparison.Ordinal
                ),
            "the access check"
        );
        var values = PrometheusText.Parse(text);
        var hosts = start.Keys.Select(series => Host().Match(series).Value).ToHashSet();
        Assert.That(
            values
                .Keys.Where(series => counted.Contains(FamilyOf(series)) && hosts.Contains(Host().Match(series).Value))
                .Except(start.Keys),
            Is.Empty,
            "series that were not there from the start"
        );
        var exported = Family().Matches(text).ToDictionary(family => family.Groups["name"].Value, family => family.Groups["type"].Value);
        var listed = MetricsPage.Read();
        Assert.Multiple(() =>
        {
            Assert.That(exported.Keys.Except(listed.Select(metric => metric.Name)), Is.Empty, "exported and not in the manual");
            Assert.That(
                listed.Select(metric => metric.Name).Except(exported.Keys).Except(Elsewhere),
                Is.Empty,
                "in the manual and not exported"
            );
            foreach (var metric in listed.Where(metric => exported.ContainsKey(metric.Name)))
            {
                Assert.That(exported[metric.Name], Is.EqualTo(metric.Type), metric.Name);
                foreach (var series in values.Keys.Where(series => Regex.IsMatch(series, $@"^{metric.Name}(_sum)?(\{{|$)")))
                    Assert.That(Label().Matches(series).Select(label => label.Groups[1].Value), Is.EquivalentTo(metric.Labels), series);
            }
        });
        Assert.That(values[$"proxyswapper_downstream_access{{registry=\"{scene.Downstream.Address}\"}}"], Is.EqualTo(1));
        Assert.That(values["proxyswapper_gated_pods_overdue"], Is.Zero);
        Assert.That(
            values.Keys,
            Does.Contain("proxyswapper_copy_claims{holder=\"self\"}").And.Contain("proxyswapper_copy_claims{holder=\"other\"}")
        );
    }

    /// <summary>The metrics of a replica without reviews; the scene's own have responded to some before they are ready.</summary>
    private static async Task<IReadOnlyDictionary<string, double>> StartAsync(GateScene scene)
    {
        await using var replica = await ProxySwapperProcess.StartAsync(
            $"rules: [{{match: \"{scene.Upstream.Address}\", target: \"{scene.Downstream.Address}/mirror\"}}]",
            new Dictionary<string, string> { ["KUBECONFIG"] = scene.Kubeconfig }
        );
        return PrometheusText.Parse(await replica.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative)));
    }

    private static string FamilyOf(string series) => Suffix().Replace(series.Split('{')[0], "");

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex("host=\"[^\"]*\"")]
    private static partial Regex Host();

    [GeneratedRegex(@"^# TYPE (?<name>\S+) (?<type>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Family();

    [GeneratedRegex(@"[{,]([a-z_]+)=""")]
    private static partial Regex Label();
}
