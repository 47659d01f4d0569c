using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Reporting;

/// <summary>Reports of manifests: the Pods that the webhook would leave alone are those of a cluster with these objects.</summary>
[TestFixture]
internal sealed class ManifestScanTests : IDisposable
{
    private const string Pods = """
        {kind: Pod, metadata: {name: dns, namespace: kube-system}, spec: {containers: [{image: dns}]}}
        ---
        {kind: Pod, metadata: {name: web, namespace: team, labels: {swap: "yes"}}, spec: {containers: [{image: web}]}}
        ---
        {kind: Pod, metadata: {name: none}, spec: {containers: [{image: none}]}}
        """;

    private const string Registration = """
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingWebhookConfiguration
        metadata: {name: webhook}
        webhooks:
          - namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [default]}]}
            objectSelector: {matchExpressions: [{key: skip, operator: NotIn, values: [1]}]}
            matchConditions: [{name: not-gpu, expression: "true"}]
        """;

    private readonly TemporaryFolder _folder = new();
    private ReportProblems _problems = new();
    private string _policy = "";

    [SetUp]
    public void ConfigureNoPolicy() => _policy = "";

    public void Dispose() => _folder.Dispose();

    [Test]
    public void By_default_the_namespaces_of_the_chart_are_excluded_and_the_assumption_is_named()
    {
        Assert.That(
            ReasonsOf(null, Pods),
            Is.EqualTo(
                new[] { ("dns", DecisionReason.IgnoredNamespace), ("none", DecisionReason.Rewritten), ("web", DecisionReason.Rewritten) }
            )
        );
        Assert.That(
            _problems.Assumed,
            Is.EqualTo(["Only kube-system is excluded, as by the chart's defaults; webhook is not in the files."])
        );
    }

    [Test]
    public void A_namespace_among_the_manifests_opts_out_by_its_label()
    {
        var reasons = ReasonsOf(null, Pods, "{kind: Namespace, metadata: {name: team, labels: {proxyswapper.io/ignore: 'true'}}}");
        Assert.That(reasons, Does.Contain(("web", DecisionReason.IgnoredNamespace)).And.Contain(("none", DecisionReason.Rewritten)));
    }

    [TestCase("")]
    [TestCase("List")]
    public void The_registration_among_the_manifests_decides(string list)
    {
        var item = Registration.Replace("\n", "\n  ", StringComparison.Ordinal);
        var registration = list.Length == 0 ? Registration : $"kind: List\nitems:\n- {item}";
        Assert.That(
            ReasonsOf(null, registration, Pods.Replace("swap: \"yes\"", "skip: 1", StringComparison.Ordinal)),
            Is.EqualTo(
                new[] { ("dns", DecisionReason.Rewritten), ("none", DecisionReason.IgnoredNamespace), ("web", DecisionReason.NotSelected) }
            )
        );
        Assert.That(_problems.Assumed, Is.Empty);
        Assert.That(_problems.Unknown, Is.EqualTo(["Which Pods the webhook's match condition not-gpu leaves out is not evaluated."]));
    }

    [Test]
    public void One_namespace_is_that_of_manifests_without_one_and_the_only_one()
    {
        Assert.That(ReasonsOf("team", Pods).Select(image => image.Image), Is.EqualTo(["none", "web"]));
        Assert.That(ReasonsOf("kube-system", Pods).Select(image => image.Reason), Is.All.EqualTo(DecisionReason.IgnoredNamespace));
        Assert.That(ReasonsOf("default", Pods).Select(image => image.Image), Is.EqualTo(["none"]));
    }

    [Test]
    public void The_binding_of_a_policy_decides_and_its_conditions_are_named()
    {
        _policy = "admissionPolicy: {name: swap, matchConditions: [{name: not-gpu, expression: 'true'}]}";
        var binding = """
            apiVersion: admissionregistration.k8s.io/v1beta1
            kind: MutatingAdmissionPolicyBinding
            metadata: {name: swap}
            spec: {matchResources: {objectSelector: {matchLabels: {swap: "yes"}}}}
            """;
        Assert.That(
            ReasonsOf(null, binding, Pods),
            Is.EqualTo(
                new[] { ("dns", DecisionReason.NotSelected), ("none", DecisionReason.NotSelected), ("web", DecisionReason.Rewritten) }
            )
        );
        Assert.That(_problems.Assumed, Is.Empty);
        Assert.That(_problems.Unknown, Is.EqualTo(["Which Pods the policy's match condition not-gpu leaves out is not evaluated."]));
    }

    /// <summary>No API server has accepted these.</summary>
    [TestCase("{kind: Namespace, metadata: {name: 1, labels: {a: 1, b: [x]}}}")]
    [TestCase("{kind: Namespace, metadata: {name: a, labels: [x]}}")]
    [TestCase("{kind: MutatingWebhookConfiguration, metadata: {name: webhook}, webhooks: {a: 1}}")]
    [TestCase("{kind: MutatingWebhookConfiguration, metadata: {name: webhook}, webhooks: [1, {objectSelector: {matchLabels: {a: {}}}}]}")]
    [TestCase("{kind: MutatingAdmissionPolicyBinding, metadata: {name: webhook}, spec: 7}")]
    public void Objects_that_are_malformed_do_not_end_the_report(string manifest) =>
        Assert.That(ReasonsOf(null, manifest, Pods), Has.Count.EqualTo(3));

    private List<(string Image, DecisionReason Reason)> ReasonsOf(string? only, params string[] manifests)
    {
        var files = manifests.Index().Select(manifest => Write($"{manifest.Index}.yaml", manifest.Item)).ToList();
        var options = ConfigurationReader.ReadText("config.yaml", $"proxyUrl: r.example\n{_policy}", EnvironmentVariables.None);
        _problems = new ReportProblems();
        var scan = new ManifestScan(files, only, _problems);
        var builder = new ReportBuilder(RuleSet.Compile(options), scan.Read("webhook", options.AdmissionPolicy));
        scan.AddTo(builder);
        return
        [
            .. builder
                .Entries.Select(entry => (entry.Decision.Source!.Repository.Split('/')[^1], entry.Decision.Reason))
                .OrderBy(entry => entry.Item1, StringComparer.Ordinal),
        ];
    }

    private string Write(string name, string text)
    {
        var path = _folder.PathOf(name);
        File.WriteAllText(path, text);
        return path;
    }
}
