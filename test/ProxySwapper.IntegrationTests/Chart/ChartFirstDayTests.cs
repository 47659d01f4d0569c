using System.Text.Json.Nodes;
using static ProxySwapper.IntegrationTests.Chart.ChartObjects;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Making the chart easy to start with and to manage with GitOps.</summary>
[TestFixture]
internal sealed class ChartFirstDayTests
{
    private const string FirstDay = "first-day";

    /// <summary>
    /// The Helm hooks that Argo CD runs as its own, and those that it ignores
    /// (<see href="https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks"/>); the same for the deletion of their objects.
    /// </summary>
    private static readonly string[] HooksOfArgo =
    [
        "pre-install",
        "pre-upgrade",
        "post-install",
        "post-upgrade",
        "pre-delete",
        "post-delete",
    ];
    private static readonly string[] LeftOutByArgo = ["test"];
    private static readonly string[] DeletionsOfArgo = ["before-hook-creation", "hook-succeeded", "hook-failed"];

    [Test]
    public async Task Two_renders_of_the_same_values_are_equal()
    {
        var different = new List<string>();
        foreach (var values in HelmChart.ValueSets)
            if (await HelmChart.RenderAsync(values) != await HelmChart.RenderAsync(values))
                different.Add(Path.GetFileName(values));
        Assert.That(different, Is.Empty, "Argo CD would never be in sync");
    }

    [Test]
    public async Task Argo_CD_runs_the_hooks_as_Helm_does_or_leaves_them_out()
    {
        var kinds = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var values in HelmChart.ValueSets)
        foreach (var hook in (await HelmChart.ObjectsAsync(values)).Where(item => IsHook(item)))
        {
            var annotations = hook["metadata"]!["annotations"]!;
            Assert.That(((string)annotations["helm.sh/hook"]!).Split(','), Is.SubsetOf(HooksOfArgo.Concat(LeftOutByArgo)));
            Assert.That(((string)annotations["helm.sh/hook-delete-policy"]!).Split(','), Is.SubsetOf(DeletionsOfArgo));
            Assert.That(int.TryParse((string)annotations["helm.sh/hook-weight"]!, out _), Is.True, "a sync wave");
            kinds.Add((string)annotations["helm.sh/hook"]!);
        }
        Assert.That(kinds, Is.EqualTo(new[] { "pre-delete", "test" }));
    }

    [Test]
    public async Task Of_the_secrets_of_rules_only_those_with_these_names_may_be_read()
    {
        var role = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(FirstDay))).Single(item =>
            (string?)item["kind"] == "ClusterRole" && (string?)item["metadata"]!["name"] == "proxyswapper-rule-secrets"
        );
        Assert.That(
            role["rules"]!.AsArray().Select(rule => rule!.ToJsonString()),
            Is.EqualTo(new[] { """{"apiGroups":[""],"resources":["secrets"],"resourceNames":["corporate"],"verbs":["get"]}""" })
        );
    }

    [Test]
    public async Task Every_image_of_the_chart_can_come_from_one_registry()
    {
        var images = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(FirstDay)))
            .SelectMany(item => Strings(item, "image"))
            .Distinct()
            .Order(StringComparer.Ordinal);
        Assert.That(
            images,
            Is.EqualTo(
                new[]
                {
                    "registry.corp.example/mirror/library/registry:3.1.1",
                    "registry.corp.example/mirror/proxyswapper/proxyswapper:0.1.0",
                }
            )
        );
    }

    [Test]
    public async Task Objects_of_the_user_are_rendered_as_templates_too()
    {
        var names = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(FirstDay)))
            .Where(item => (string?)item["kind"] == "ConfigMap")
            .Select(item => (string)item["metadata"]!["name"]!);
        Assert.That(names, Is.SupersetOf(new[] { "proxyswapper-more", "proxyswapper-text" }));
    }

    [Test]
    public async Task Private_authorities_are_mounted_and_trusted_besides_the_public_ones()
    {
        var containers = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(FirstDay)))
            .Where(item => !ChartObjects.IsHook(item))
            .Select(item => (item["spec"]?["jobTemplate"] ?? item)["spec"]?["template"]?["spec"])
            .OfType<JsonNode>()
            .SelectMany(pod => pod["containers"]!.AsArray().Select(container => (Pod: pod, Container: container!)))
            .ToList();
        Assert.That(
            containers.Select(each => (string?)each.Container["name"]),
            Is.EquivalentTo(new[] { "proxyswapper", "mirror", "registry", "registry", "credential" })
        );
        foreach (var (pod, container) in containers)
        {
            var folders = (string)container["env"]!.AsArray().Single(variable => (string?)variable!["name"] == "SSL_CERT_DIR")!["value"]!;
            Assert.That(folders.Split(':')[0], Is.EqualTo("/etc/ssl/certs"));
            var mounted = folders.Split(':').Skip(1).Select(folder => SourceOf(pod, container, folder)).ToList();
            Assert.That(
                mounted.Select(source => (string?)(source["name"] ?? source["secretName"])),
                Is.EqualTo(new[] { "corporate-ca", "other-ca" })
            );
            Assert.That(
                mounted.Select(source => ((string?)source["items"]![0]!["key"], (string?)source["items"]![0]!["path"])),
                Is.EqualTo(new[] { ("ca.crt", "ca.crt"), ("ca.pem", "ca.crt") })
            );
        }
    }

    [Test]
    public async Task Namespaces_opt_in_by_one_value()
    {
        var webhook = (await HelmChart.ObjectsAsync(HelmChart.ValueSet(FirstDay))).Single(item =>
            (string?)item["kind"] == "MutatingWebhookConfiguration"
        );
        Assert.That(
            webhook["webhooks"]![0]!["namespaceSelector"]!["matchExpressions"]!.AsArray().Select(expression => expression!.ToJsonString()),
            Has.Some.EqualTo("""{"key":"proxyswapper.io/enabled","operator":"In","values":["true"]}""")
        );
    }

    /// <summary>The ConfigMap or Secret that a container has at a path.</summary>
    private static JsonNode SourceOf(JsonNode pod, JsonNode container, string path)
    {
        var mount = container["volumeMounts"]!.AsArray().Single(mount => (string?)mount!["mountPath"] == path)!;
        var volume = pod["volumes"]!.AsArray().Single(volume => (string?)volume!["name"] == (string?)mount["name"])!;
        return volume["configMap"] ?? volume["secret"]!;
    }

    private static IEnumerable<string> Strings(JsonNode? node, string key) =>
        node switch
        {
            JsonObject item => item.SelectMany(pair =>
                pair.Key == key && pair.Value is JsonValue value ? [(string)value!] : Strings(pair.Value, key)
            ),
            JsonArray list => list.SelectMany(value => Strings(value, key)),
            _ => [],
        };
}
