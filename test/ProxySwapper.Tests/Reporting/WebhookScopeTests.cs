using ProxySwapper.Kubernetes;
using ProxySwapper.Rules;

namespace ProxySwapper.Tests.Reporting;

/// <summary>The Pods that the webhook is called for, according to reports.</summary>
[TestFixture]
internal sealed class WebhookScopeTests
{
    private const string Selectors = """
        "namespaceSelector": {"matchExpressions": [{"key": "proxyswapper.io/ignore", "operator": "NotIn", "values": ["true"]}]},
        "objectSelector": {"matchLabels": {"swap": "yes"}}
        """;

    [Test]
    public async Task Pods_that_the_object_selector_leaves_out_are_not_rewritten()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddTemplatesAsync(cluster);
        await AddWebhookAsync(cluster, "");
        await AssertSelectedAsync(cluster, "");
    }

    [Test]
    public async Task A_binding_of_an_admission_policy_selects_like_a_webhook()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddTemplatesAsync(cluster);
        await AddBindingAsync(cluster);
        await AssertSelectedAsync(cluster, "admissionPolicy: {name: webhook}\n");
    }

    [Test]
    public async Task Kube_system_is_in_scope_where_the_webhook_selects_it()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddAsync("/api/v1/namespaces", """{"metadata": {"name": "kube-system"}}""");
        await cluster.AddAsync(
            "/api/v1/namespaces/kube-system/pods",
            """{"metadata": {"name": "dns", "labels": {"swap": "yes"}}, "spec": {"containers": [{"name": "a", "image": "dns:1"}]}}"""
        );
        Assert.That(await ReasonsAsync(cluster), Is.EqualTo([DecisionReason.IgnoredNamespace]), "by the chart's default");
        await AddWebhookAsync(cluster, "");
        Assert.That(await ReasonsAsync(cluster), Is.EqualTo([DecisionReason.Rewritten]));
    }

    [Test]
    public async Task Without_a_registration_and_with_conditions_in_one_the_reader_is_reported()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.ReportAsync();
        Assert.That(cluster.Problems.Unknown, Has.Exactly(1).EndsWith("'webhook' was found: nothing currently rewrites Pods."));
        await AddWebhookAsync(
            cluster,
            """, "matchConditions": [{"name": "gate-is-not-lifted", "expression": "true"}, {"name": "not-gpu", "expression": "true"}]"""
        );
        await cluster.ReportAsync();
        Assert.That(
            cluster.Problems.Unknown,
            Is.EqualTo(["Which Pods the webhook's match condition not-gpu leaves out is not evaluated."])
        );
    }

    [Test]
    public async Task For_one_namespace_only_that_one_is_read()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddAsync("/api/v1/namespaces", """{"metadata": {"name": "team", "labels": {"proxyswapper.io/ignore": "true"}}}""");
        await AddTemplatesAsync(cluster);
        cluster.Deny("list namespaces");
        var report = await cluster.ReportAsync(only: "team");
        Assert.That(report.Entries.Select(entry => entry.Decision.Reason).Distinct(), Is.EqualTo([DecisionReason.IgnoredNamespace]));
        Assert.That(cluster.Problems.Unknown, Has.None.Contain("Namespace"));
        await cluster.ReportAsync(only: "nowhere");
        Assert.That(cluster.Problems.Unknown, Has.Exactly(1).EqualTo("Namespace nowhere not found."));
        Assert.That(cluster.Problems.IsIncomplete, "a name that is mistyped has no images");
    }

    [Test]
    public async Task What_is_assumed_in_place_of_selectors_that_may_not_be_read_is_reported_once()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddTemplatesAsync(cluster);
        await AddWebhookAsync(cluster, "");
        cluster.Deny("get mutatingwebhookconfigurations");
        Assert.That(await ReasonsAsync(cluster), Has.All.EqualTo(DecisionReason.Rewritten));
        Assert.That(
            cluster.Problems.Assumed.Single(),
            Does.StartWith(
                "Only namespace kube-system and namespaces with the label proxyswapper.io/ignore=true are excluded, as by the chart's "
                    + "defaults, since the selectors of 'webhook' cannot be read: get mutatingwebhookconfigurations"
            )
        );
        Assert.That((cluster.Problems.Unknown, cluster.Problems.IsIncomplete), Is.EqualTo((Array.Empty<string>(), false)));
    }

    [Test]
    public async Task A_binding_is_found_where_webhooks_may_not_be_read()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddTemplatesAsync(cluster);
        await AddBindingAsync(cluster);
        cluster.Deny("get mutatingwebhookconfigurations");
        await AssertSelectedAsync(cluster, "admissionPolicy: {name: webhook}\n");
        Assert.That(cluster.Problems.Assumed, Is.Empty);
    }

    [Test]
    public async Task Conditions_of_an_admission_policy_are_named_like_those_of_a_webhook()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddBindingAsync(cluster);
        await cluster.ReportAsync("admissionPolicy: {name: webhook, matchConditions: [{name: not-gpu, expression: 'true'}]}\n");
        Assert.That(cluster.Problems.Unknown, Is.EqualTo(["Which Pods the policy's match condition not-gpu leaves out is not evaluated."]));
    }

    private static Task AddBindingAsync(ReportCluster cluster) =>
        cluster.AddAsync(
            "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings",
            $$"""{"metadata": {"name": "webhook"}, "spec": {"matchResources": { {{Selectors}} } } }"""
        );

    private static async Task AddTemplatesAsync(ReportCluster cluster)
    {
        await cluster.AddTemplateAsync("apps/v1", "deployments", "in", "in:1", labels: """{"swap": "yes"}""");
        await cluster.AddTemplateAsync("apps/v1", "deployments", "out", "out:1");
    }

    private static async Task AssertSelectedAsync(ReportCluster cluster, string configuration)
    {
        var report = await cluster.ReportAsync(configuration);
        Assert.That(
            report.Entries.Select(entry => (entry.Name, entry.Decision.Reason)),
            Is.EquivalentTo([("docker.io/library/in:1", DecisionReason.Rewritten), ("docker.io/library/out:1", DecisionReason.NotSelected)])
        );
        Assert.That(cluster.Problems.Unknown, Is.Empty);
    }

    private static async Task<IEnumerable<DecisionReason>> ReasonsAsync(ReportCluster cluster) =>
        (await cluster.ReportAsync()).Entries.Select(entry => entry.Decision.Reason);

    private static Task AddWebhookAsync(ReportCluster cluster, string more) =>
        cluster.AddAsync(
            ResourceType.MutatingWebhookConfigurations.CollectionPath(),
            $$"""{"metadata": {"name": "webhook"}, "webhooks": [{ {{Selectors}}{{more}} }]}"""
        );
}
