using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Chart;
using ProxySwapper.IntegrationTests.Reporting;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Backfilling;

/// <summary><c>populate.backfill</c>: <c>serve</c> copies the images of Pod templates on a real API server.</summary>
[TestFixture, NeedsServer]
internal sealed class TemplateBackfillTests
{
    [Test]
    public async Task Images_of_templates_are_copied_downstream_and_their_owners_get_events_about_failures()
    {
        await using var scene = await ReportScene.StartAsync();
        var kubeconfig = await AccountOfTheChartAsync(scene);
        var configuration = await File.ReadAllTextAsync(scene.ConfigurationFile);
        await using var program = await ProxySwapperProcess.StartAsync(
            $"{configuration}\npopulate: {{backfill: true, reconcileEvery: 1s}}\n",
            new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig }
        );
        // Images without a source, that need a Secret that does not exist, or of a custom kind that the account may not list stay missing.
        string[] expected =
        [
            "mirror/team/agent:1",
            "mirror/team/api:2",
            "mirror/team/canary:1",
            "mirror/team/sidecar:1",
            "private/team/batch:1",
            "private/team/report:1",
        ];
        await TestWait.UntilAsync(
            async () =>
                (await MissingAsync(scene)).SequenceEqual(
                    expected.Select(name => $"{scene.Target.Address}/{name}").Order(StringComparer.Ordinal)
                ),
            "everything that can be copied"
        );
        await TestWait.UntilAsync(
            async () => (await EventsAsync(scene)).Contains("team-a/Deployment/deploy-03", StringComparison.Ordinal),
            "the Event of the Deployment whose image does not exist"
        );
        Assert.That(program.Log, Does.Contain("Checked workloads: 55, Pods: 10, their images: 23; "));
        await TestWait.UntilAsync(() => program.Log.Split("Checked workloads: 55,").Length > 4, "further looks");
        Assert.That(LinesWith(program, "Giving up on", "team/api:2"), Is.EqualTo(1), "not tried again at each look");
        Assert.That(LinesWith(program, "rollouts of example.com/v1 cannot be read: list rollouts.example.com: forbidden"), Is.EqualTo(1));
        Assert.That(program.Log, Does.Not.Contain("internal error"));
    }

    private static int LinesWith(ProxySwapperProcess program, params string[] parts) =>
        program.Log.Split('\n').Count(line => parts.All(part => line.Contains(part, StringComparison.Ordinal)));

    /// <summary>A kubeconfig of the chart's account, with the permissions that it has with this value.</summary>
    private static async Task<string> AccountOfTheChartAsync(ReportScene scene)
    {
        await scene.Server.KubectlAsync("create", "namespace", HelmChart.Release);
        var accounts = new ServiceAccounts(scene.Server);
        await accounts.ApplyRightsAsync("backfill");
        Assert.That(
            (await accounts.AllowedAsync(HelmChart.Release, "team-a")).Where(right =>
                !right.EndsWith("events.events.k8s.io", StringComparison.Ordinal)
            ),
            Is.EquivalentTo(["list pods", "watch pods", "patch pods", "list namespaces", "list deployments.apps"]),
            "what population needs, and lists"
        );
        var file = scene.Server.KubeconfigOf(await accounts.TokenAsync(HelmChart.Release));
        var text = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(
            file,
            text.Replace("user: test}", $"user: test, namespace: {HelmChart.Release}}}", StringComparison.Ordinal)
        );
        return file;
    }

    private static async Task<IReadOnlyList<string>> MissingAsync(ReportScene scene)
    {
        var (_, output, _) = await scene.RunAsync("report", "-o", "json");
        return
        [
            .. JsonNode.Parse(output)!["images"]!
                .AsArray()
                .Where(image => (string)image!["state"]! == "missing")
                .Select(image => (string)image!["target"]!)
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The objects of Events about failed copies.</summary>
    private static async Task<string> EventsAsync(ReportScene scene)
    {
        var events = await scene.Server.Client.GetAsync("/apis/events.k8s.io/v1/events", default);
        return string.Join(
            '\n',
            events!["items"]!
                .AsArray()
                .Where(item => (string?)item!["reason"] == "ImagePopulateFailed")
                .Select(item => item!["regarding"]!)
                .Select(subject => $"{subject["namespace"]}/{subject["kind"]}/{subject["name"]}")
        );
    }
}
