using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Backfilling;
using ProxySwapper.Kubernetes;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

/// <summary>What a report reads from the API server: each image once, with its workload, and why it is left unchanged.</summary>
[TestFixture]
internal sealed class ClusterScanTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Test]
    public async Task Pods_of_ignored_owners_are_left_unchanged_as_by_the_webhook()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync("db-1", "postgres:16", ReportCluster.ControlledBy("example.com/v1", "Cluster", "db"));
        await cluster.AddTemplateAsync("apps/v1", "statefulsets", "kv", "redis:7");
        await cluster.AddTemplateAsync("apps/v1", "deployments", "web", "nginx:1");
        var report = await cluster.ReportAsync("ignoreOwners: [example.com/Cluster, apps/StatefulSet]\n");
        Assert.That(ReasonOf(report, "postgres:16"), Is.EqualTo(DecisionReason.IgnoredOwner));
        Assert.That(ReasonOf(report, "redis:7"), Is.EqualTo(DecisionReason.IgnoredOwner), "the owner that Pods of a template will have");
        Assert.That(ReasonOf(report, "nginx:1"), Is.EqualTo(DecisionReason.Rewritten));
    }

    [Test]
    public async Task A_static_pod_is_left_unchanged_and_is_no_workload_of_its_node()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync(
            "proxy-node-1",
            "haproxy:3",
            ReportCluster.ControlledBy("v1", "Node", "node-1") + """, "annotations": {"kubernetes.io/config.mirror": "x"}"""
        );
        var report = await cluster.ReportAsync();
        Assert.That(ReasonOf(report, "haproxy:3"), Is.EqualTo(DecisionReason.MirrorPod));
        Assert.That(WorkloadsOf(report, "haproxy:3"), Is.EqualTo(["team/Pod/proxy-node-1"]));
    }

    [TestCase("registry.example.com/hub/library/nginx:1", 1, 0)]
    [TestCase($"registry.example.com/hub/library/nginx:1@{Digest}", 1, 0, Description = "populate.gate.pinDigests")]
    [TestCase("nginx:1", 0, 1)]
    public async Task What_a_pod_runs_is_its_target_or_the_original(string running, int target, int original)
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync("web", running, running == "nginx:1" ? "" : ReportCluster.Original("nginx:1"));
        var entry = (await cluster.ReportAsync()).Entries.Single();
        Assert.That((entry.Name, entry.RunningTarget, entry.RunningOriginal), Is.EqualTo(("docker.io/library/nginx:1", target, original)));
    }

    [Test]
    public async Task An_image_that_names_the_target_runs_the_target()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync("web", "registry.example.com/hub/library/nginx:1");
        var entry = (await cluster.ReportAsync()).Entries.Single();
        Assert.That((entry.Decision.Reason, entry.RunningTarget), Is.EqualTo((DecisionReason.AlreadyAtTarget, 1)));
    }

    [TestCase("evil.example.com/miner:1")]
    [TestCase("registry.example.com/hub/library/miner:1")]
    public async Task An_annotation_does_not_hide_what_runs(string running)
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync("web", running, ReportCluster.Original("nginx:1"));
        Assert.That((await cluster.ReportAsync()).Entries.Select(entry => entry.Name), Is.EqualTo([running]));
    }

    [Test]
    public async Task Every_user_of_an_image_is_listed_once()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddTemplateAsync("apps/v1", "deployments", "web", "nginx:1");
        foreach (var revision in new[] { "web-1", "web-2" })
        {
            var made = ReportCluster.ControlledBy("apps/v1", "Deployment", "web");
            await cluster.AddTemplateAsync("apps/v1", "replicasets", revision, "nginx:1", made);
            var owner = ReportCluster.ControlledBy("apps/v1", "ReplicaSet", revision);
            await cluster.AddAsync(
                "/api/v1/namespaces/team/pods",
                $$"""
                {"metadata": {"name": "{{revision}}-x"{{owner}}},
                 "spec": {"containers": [{"name": "main", "image": "nginx:1"}, {"name": "proxy", "image": "envoy:1"}]} }
                """
            );
        }
        await cluster.AddTemplateAsync("batch/v1", "jobs", "night-1", "job:1", ReportCluster.ControlledBy("batch/v1", "CronJob", "night"));
        await cluster.AddPodAsync("night-1-x", "job:1", ReportCluster.ControlledBy("batch/v1", "Job", "night-1"));
        await cluster.AddPodAsync("bare", "nginx:1");
        await cluster.AddTemplateAsync("example.com/v1", "rollouts", "canary", "canary:1");
        var report = await cluster.ReportAsync();
        Assert.That((report.Workloads, report.Pods), Is.EqualTo((4, 4)));
        Assert.That(report.Entries.SelectMany(entry => entry.Workloads).Distinct().Count(), Is.EqualTo(4));
        Assert.That(WorkloadsOf(report, "nginx:1"), Is.EqualTo(["team/Deployment/web", "team/Pod/bare"]));
        Assert.That(WorkloadsOf(report, "envoy:1"), Is.EqualTo(["team/Deployment/web"]), "an injected sidecar");
        Assert.That(WorkloadsOf(report, "job:1"), Is.EqualTo(["team/CronJob/night"]));
        Assert.That(WorkloadsOf(report, "canary:1"), Is.EqualTo(["team/Rollout/canary"]));
    }

    [Test]
    public async Task What_a_template_is_made_into_is_one_workload()
    {
        await using var cluster = await ReportCluster.StartAsync();
        const string Version = "example.com/v1";
        await cluster.AddTemplateAsync(Version, "services", "shop", "shop:1");
        await cluster.AddTemplateAsync(Version, "configurations", "shop", "shop:1", ReportCluster.ControlledBy(Version, "Service", "shop"));
        var metadata = $$"""{"name": "shop-1"{{ReportCluster.ControlledBy(Version, "Configuration", "shop")}}}""";
        await cluster.AddAsync($"/apis/{Version}/namespaces/team/revisions", $$"""{"metadata": {{metadata}} }""");
        var revision = ReportCluster.ControlledBy(Version, "Revision", "shop-1");
        await cluster.AddTemplateAsync("apps/v1", "deployments", "shop-1", "shop:1", revision);
        await cluster.AddTemplateAsync("apps/v1", "deployments", "shop-1-helper", "helper:1", revision);
        var deployment = ReportCluster.ControlledBy("apps/v1", "Deployment", "shop-1");
        await cluster.AddTemplateAsync("apps/v1", "replicasets", "shop-1-x", "shop:1", deployment);
        await cluster.AddPodAsync("shop-1-x-y", "shop:1", ReportCluster.ControlledBy("apps/v1", "ReplicaSet", "shop-1-x"));
        await cluster.AddTemplateAsync("apps/v1", "deployments", "db", "db:1", ReportCluster.ControlledBy(Version, "Cluster", "db"));
        var report = await cluster.ReportAsync();
        Assert.That(report.Workloads, Is.EqualTo(2));
        Assert.That(WorkloadsOf(report, "shop:1"), Is.EqualTo(["team/Service/shop"]));
        Assert.That(WorkloadsOf(report, "helper:1"), Is.EqualTo(["team/Service/shop"]), "an image that only what it made has");
        Assert.That(WorkloadsOf(report, "db:1"), Is.EqualTo(["team/Deployment/db"]), "what an operator made of no template");
    }

    /// <summary>An Argo Rollout with a workloadRef, say, or Deployments that the caller may not list.</summary>
    [Test]
    public async Task A_controller_whose_template_cannot_be_read_has_that_of_its_newest_revision()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var cluster = await ReportCluster.StartAsync(time: time);
        var owner = ReportCluster.ControlledBy("example.com/v1", "Rollout", "shop");
        foreach (var (revision, age) in new[] { ("old", 3), ("new", 1), ("middle", 2) })
        {
            time.AdjustTime(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(age));
            await cluster.AddTemplateAsync("apps/v1", "replicasets", $"shop-{revision}", $"{revision}:1", owner);
        }
        await cluster.AddAsync("/apis/example.com/v1/namespaces/team/rollouts", """{"metadata": {"name": "shop"}, "spec": {}}""");
        var report = await cluster.ReportAsync();
        Assert.That(report.Entries.Select(entry => entry.Name), Is.EqualTo(["docker.io/library/new:1"]));
        Assert.That(WorkloadsOf(report, "new:1"), Is.EqualTo(["team/Rollout/shop"]));
        Assert.That(report.Workloads, Is.EqualTo(1));
    }

    [Test]
    public async Task Templates_of_cluster_scoped_kinds_are_reported_but_not_with_a_namespace()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddAsync("/api/v1/namespaces", """{"metadata": {"name": "team"}}""");
        await cluster.AddAsync(
            "/apis/example.com/v1/agents",
            """
            {"metadata": {"name": "node-agent"},
             "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "agent:1"}]}}}}
            """
        );
        var report = await cluster.ReportAsync();
        Assert.That(WorkloadsOf(report, "agent:1"), Is.EqualTo(["Agent/node-agent"]));
        Assert.That(BackfillPlan.OriginsOf(report.Entries.Single()).Single().Uid, Is.Null, "it has no pull secrets that can be found");

        report = await cluster.ReportAsync(only: "team");
        Assert.That(report.Entries, Is.Empty);
        Assert.That(report.Problems, Has.One.EqualTo("agents of example.com/v1 are cluster-scoped and left out with -n."));

        cluster.Deny("list agents");
        report = await cluster.ReportAsync();
        Assert.That(report.IsIncomplete, report.Problems[0]);
    }

    [Test]
    public async Task Images_of_every_list_of_a_pod_are_reported()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddAsync(
            "/api/v1/namespaces/team/pods",
            """
            {"metadata": {"name": "web"}, "spec": {"nodeName": "node-1", "initContainers": [{"name": "a", "image": "init:1"}],
             "containers": [{"name": "b", "image": "main:1"}], "ephemeralContainers": [{"name": "c", "image": "debug:1"}],
             "volumes": [{"name": "d", "image": {"reference": "model:1"}}, {"name": "e", "emptyDir": {}}]}}
            """
        );
        var report = await cluster.ReportAsync();
        Assert.That(
            report.Entries.Select(entry => entry.Name),
            Is.EquivalentTo(new[] { "init", "main", "debug", "model" }.Select(name => $"docker.io/library/{name}:1"))
        );
    }

    [Test]
    public async Task A_list_that_begins_again_counts_nothing_twice()
    {
        var expired = 0;
        await using var cluster = await ReportCluster.StartAsync(
            (context, next) =>
            {
                var query = context.Request.QueryString.Value!;
                if (
                    context.Request.Path.Value == "/api/v1/pods"
                    && query.Contains("continue=2", StringComparison.Ordinal)
                    && expired++ == 0
                )
                {
                    context.Response.StatusCode = StatusCodes.Status410Gone;
                    return context.Response.WriteAsync("""{"kind": "Status", "reason": "Expired", "message": "too old"}""");
                }
                context.Request.QueryString = new QueryString(query.Replace("limit=500", "limit=1", StringComparison.Ordinal));
                return next(context);
            }
        );
        foreach (var pod in new[] { "a", "b", "c" })
            await cluster.AddPodAsync(pod, "nginx:1");
        var report = await cluster.ReportAsync();
        var entry = report.Entries.Single();
        Assert.That((expired, report.Pods, entry.RunningOriginal, entry.Workloads.Count), Is.EqualTo((2, 3, 3, 3)));
    }

    [Test]
    public async Task What_may_not_be_read_is_reported_and_the_rest_is_reported()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddPodAsync("web", "nginx:1");
        cluster.Deny("list deployments").Deny("list nodes");
        var report = await cluster.ReportAsync();
        Assert.That(report.Entries, Has.Count.EqualTo(1));
        Assert.That(report.Problems, Has.Exactly(1).StartsWith("deployments of apps/v1 cannot be read: list deployments"));
        Assert.That(report.Problems, Has.Exactly(1).StartsWith("Image sizes are unknown: list nodes"));
    }

    [Test]
    public async Task Kinds_of_the_same_name_in_two_groups_are_two_workloads_and_of_two_versions_one()
    {
        await using var cluster = await ReportCluster.StartAsync();
        var owner = ReportCluster.ControlledBy("example.com/v1", "Cluster", "db");
        await cluster.AddTemplateAsync("apps/v1", "deployments", "web", "nginx:1", owner);
        await cluster.AddTemplateAsync("example.org/v2", "deployments", "web", "caddy:1", owner);
        await cluster.AddPodAsync("web-1", "caddy:1", ReportCluster.ControlledBy("example.org/v1", "Deployment", "web"));
        var report = await cluster.ReportAsync();
        Assert.That(report.Workloads, Is.EqualTo(2));
        Assert.That(WorkloadsOf(report, "nginx:1"), Is.EqualTo(["team/Deployment/web"]));
        Assert.That(WorkloadsOf(report, "caddy:1"), Is.EqualTo(["team/Deployment/web"]));
    }

    [Test]
    public async Task A_report_without_any_image_is_a_failure()
    {
        await using var cluster = await ReportCluster.StartAsync();
        foreach (
            var plural in new[]
            {
                "pods",
                "replicationcontrollers",
                "deployments",
                "replicasets",
                "statefulsets",
                "cronjobs",
                "jobs",
                "agents",
                "configurations",
                "revisions",
                "rollouts",
                "services",
            }
        )
            cluster.Deny($"list {plural}");
        Assert.That(() => cluster.ReportAsync(), Throws.TypeOf<KubernetesException>().With.Message.Contains("forbidden (HTTP 403)"));
    }

    [Test]
    public async Task An_API_server_that_does_not_respond_is_a_failure()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.StopAsync();
        Assert.That(() => cluster.ReportAsync(), Throws.TypeOf<KubernetesException>().With.Message.StartsWith("GET /api/v1: no response"));
    }

    [Test]
    public async Task Progress_counts_what_was_read()
    {
        await using var cluster = await ReportCluster.StartAsync();
        for (var pod = 0; pod < 100; pod++)
            await cluster.AddPodAsync($"web-{pod}", "nginx:1");
        await cluster.ReportAsync();
        Assert.That(cluster.Progress, Does.Contain("reading deployments").And.Contain("reading pods").And.Contain("reading pods: 100"));
    }

    private static DecisionReason ReasonOf(ImageReport report, string image) => EntryOf(report, image).Decision.Reason;

    private static IEnumerable<string> WorkloadsOf(ImageReport report, string image) =>
        EntryOf(report, image).Workloads.Select(workload => workload.ToString()).Order(StringComparer.Ordinal);

    private static ImageEntry EntryOf(ImageReport report, string image) =>
        report.Entries.Single(entry => entry.Name == $"docker.io/library/{image}");
}
