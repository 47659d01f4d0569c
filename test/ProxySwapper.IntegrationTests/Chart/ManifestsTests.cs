using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary><c>manifests/</c> has the chart's default objects, without those that only Helm needs.</summary>
[TestFixture]
internal sealed partial class ManifestsTests
{
    private const string Webhook = "MutatingWebhookConfiguration";
    private const string Binding = "MutatingAdmissionPolicyBinding";

    [TestCase("10-proxyswapper.yaml", Webhook, false)]
    [TestCase("20-webhook.yaml", Webhook, true)]
    [TestCase("policy/10-proxyswapper.yaml", Binding, false, "--kube-version", "1.36.0", "--set", "webhook.mode=policy")]
    [TestCase("policy/20-binding.yaml", Binding, true, "--kube-version", "1.36.0", "--set", "webhook.mode=policy")]
    public async Task Plain_manifests_are_what_the_chart_makes(string file, string kind, bool isOfKind, params string[] arguments)
    {
        var documents = (await HelmChart.RenderAsync(HelmChart.ValueSet("plain"), arguments))
            .Split("---\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(document => !document.Contains("helm.sh/hook", StringComparison.Ordinal))
            .Where(document => document.Contains($"kind: {kind}\n", StringComparison.Ordinal) == isOfKind)
            .Select(document => HelmLine().Replace(document, "").Trim() + "\n");
        var text = "# Made from the chart by the tests, with UPDATE_GOLDEN=1.\n" + string.Join("---\n", documents);
        var path = SourceTree.PathOf("manifests", file);
        if (SourceTree.UpdatesGolden)
            await File.WriteAllTextAsync(path, text);
        Assert.That(
            YamlObjects.WriteCanonical(YamlObjects.Read(await File.ReadAllTextAsync(path))),
            Is.EqualTo(YamlObjects.WriteCanonical(YamlObjects.Read(text))),
            $"manifests/{file} is not up to date: run the tests with UPDATE_GOLDEN=1"
        );
    }

    [Test]
    public async Task With_the_policy_there_is_a_binding_and_no_webhook_certificate_or_service()
    {
        string[] files = ["00-namespace.yaml", "10-proxyswapper.yaml", "20-binding.yaml"];
        Assert.That(
            await File.ReadAllTextAsync(SourceTree.PathOf("manifests", "policy", files[0])),
            Is.EqualTo(await File.ReadAllTextAsync(SourceTree.PathOf("manifests", files[0])))
        );
        Assert.That(Read("policy/kustomization.yaml")[0]["resources"]!.AsArray().Select(file => (string)file!), Is.EqualTo(files));
        var kinds = files.SelectMany(file => Read($"policy/{file}")).Select(item => (string)item["kind"]!).ToList();
        Assert.That(kinds, Is.SupersetOf(new[] { "Namespace", "ServiceAccount", "ClusterRole", "ConfigMap", "Deployment", Binding }));
        Assert.That(kinds, Has.No.Member(Webhook).And.No.Member("Certificate").And.No.Member("Service").And.No.Member("Job"));
    }

    [Test]
    public void Together_they_are_everything_except_the_hooks()
    {
        var objects = new[] { "00-namespace.yaml", "10-proxyswapper.yaml", "20-webhook.yaml" }
            .SelectMany(Read)
            .Select(item => (string)item["kind"]!)
            .ToList();
        Assert.That(
            objects,
            Is.SupersetOf(
                new[]
                {
                    "Namespace",
                    "ServiceAccount",
                    "ClusterRole",
                    "ClusterRoleBinding",
                    "ConfigMap",
                    "Certificate",
                    "Issuer",
                    "Service",
                    "Deployment",
                    "PodDisruptionBudget",
                    "MutatingWebhookConfiguration",
                }
            )
        );
        Assert.That(objects, Has.No.Member("Job"));
    }

    [Test]
    public void Kustomize_has_them_in_this_order() =>
        Assert.That(
            Read("kustomization.yaml")[0]["resources"]!.AsArray().Select(file => (string)file!),
            Is.EqualTo(new[] { "00-namespace.yaml", "10-proxyswapper.yaml", "20-webhook.yaml" })
        );

    private static IReadOnlyList<JsonObject> Read(string file) => YamlObjects.Read(File.ReadAllText(SourceTree.PathOf("manifests", file)));

    [GeneratedRegex("^(# Source:.*| *(helm\\.sh/chart|app\\.kubernetes\\.io/managed-by|checksum/startup):.*)\n", RegexOptions.Multiline)]
    private static partial Regex HelmLine();
}
