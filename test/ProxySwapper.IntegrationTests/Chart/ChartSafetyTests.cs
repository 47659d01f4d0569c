using System.Text.Json.Nodes;
using ProxySwapper.Configuration;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using static ProxySwapper.IntegrationTests.Chart.ChartObjects;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Properties of the chart with all values.</summary>
[TestFixture]
internal sealed class ChartSafetyTests
{
    /// <summary>Permissions of the populator with scheduling gates: to watch and release Pods, and to have a Lease per copy.</summary>
    private const string Gates = Release + " leases:get,list,watch,create,update,delete";

    /// <summary>Permissions with any <c>populate.policy</c>: Pods that an earlier one gated are released.</summary>
    private const string Release = "pods:list,watch,patch events:create,patch";

    /// <summary>Permissions for issuing its own certificate.</summary>
    private const string OwnCertificate =
        "secrets:get,update secrets:create leases:get,update,delete leases:create mutatingwebhookconfigurations:get,patch";

    private static readonly string[] Workloads = ["Deployment", "DaemonSet", "Job", "CronJob", "Pod"];

    private readonly Dictionary<string, IReadOnlyList<JsonObject>> _sets = [];

    [OneTimeSetUp]
    public async Task Render()
    {
        foreach (var values in HelmChart.ValueSets)
            _sets[Path.GetFileNameWithoutExtension(values)] = await HelmChart.ObjectsAsync(values);
    }

    [Test]
    public void The_webhook_is_not_called_for_Pods_of_the_chart()
    {
        foreach (var (set, pod) in Pods())
            Assert.That((string?)pod["metadata"]!["labels"]!["proxyswapper.io/ignore"], Is.EqualTo("true"), set);
    }

    [Test]
    public void Every_Pod_is_restricted()
    {
        foreach (var (set, pod) in Pods())
        {
            Assert.That((bool)pod["spec"]!["securityContext"]!["runAsNonRoot"]!, Is.True, set);
            Assert.That((string?)pod["spec"]!["securityContext"]!["seccompProfile"]!["type"], Is.EqualTo("RuntimeDefault"), set);
            Assert.That((bool)pod["spec"]!["enableServiceLinks"]!, Is.False, set);
            foreach (var container in pod["spec"]!["containers"]!.AsArray())
            {
                var context = container!["securityContext"]!;
                Assert.That(
                    (
                        (bool)context["readOnlyRootFilesystem"]!,
                        (bool)context["allowPrivilegeEscalation"]!,
                        (string?)context["capabilities"]!["drop"]![0]
                    ),
                    Is.EqualTo((true, false, "ALL")),
                    set
                );
                Assert.That(container["resources"]!["limits"]!["memory"], Is.Not.Null, set);
            }
        }
    }

    [Test]
    public void The_releases_namespace_and_kube_system_are_excluded_unless_explicitly_included()
    {
        foreach (var (set, webhook) in Objects("MutatingWebhookConfiguration"))
        {
            var own = (string)webhook["webhooks"]![0]!["clientConfig"]!["service"]!["namespace"]!;
            var excluded = webhook["webhooks"]![0]!["namespaceSelector"]!["matchExpressions"]!
                .AsArray()
                .Where(expression =>
                    (string?)expression!["key"] == "kubernetes.io/metadata.name" && (string?)expression["operator"] == "NotIn"
                )
                .SelectMany(expression => expression!["values"]!.AsArray().Select(value => (string)value!))
                .ToList();
            Assert.That(excluded, set == "dangerous" ? Is.Empty : Is.SupersetOf(new[] { own, "kube-system" }.Distinct()), set);
        }
    }

    [Test]
    public void Namespaces_and_Pods_can_always_opt_out()
    {
        foreach (var (set, webhook) in Objects("MutatingWebhookConfiguration"))
        foreach (var selector in new[] { "namespaceSelector", "objectSelector" })
            Assert.That(
                webhook["webhooks"]![0]![selector]!["matchExpressions"]!.AsArray().Select(expression => expression!.ToJsonString()),
                Has.Some.EqualTo("""{"key":"proxyswapper.io/ignore","operator":"NotIn","values":["true"]}"""),
                set
            );
    }

    [Test]
    public void Without_population_and_gates_there_are_no_permissions_and_no_token()
    {
        var objects = _sets["populate-none-without-gates"].Where(item => !IsHook(item)).ToList();
        Assert.That(objects.Select(item => (string)item["kind"]!).Where(kind => kind.Contains("Role", StringComparison.Ordinal)), Is.Empty);
        var pod = objects.Single(item => (string?)item["kind"] == "Deployment")["spec"]!["template"]!["spec"]!;
        Assert.That((bool)pod["automountServiceAccountToken"]!, Is.False);
    }

    [TestCase("default", Gates)]
    [TestCase("populate-without-reconciling", Gates)]
    [TestCase("fallback-without-populating", "events:create,patch")]
    [TestCase("populate-none", Release)]
    [TestCase("populate-none-without-gates", "")]
    [TestCase("pull-secrets-everywhere", Gates + " secrets,serviceaccounts:get")]
    [TestCase("pull-secrets-in-namespaces", Gates + " secrets,serviceaccounts:get")]
    [TestCase("first-day", Gates + " secrets:get")]
    [TestCase("unregistered", Gates)]
    [TestCase("self-signed", OwnCertificate + " " + Release)]
    [TestCase("without-cert-manager", OwnCertificate + " " + Release)]
    public void Permissions_are_those_of_the_enabled_features(string set, string expected)
    {
        var rules = _sets[set]
            .Where(item =>
                (string)item["kind"]! is "Role" or "ClusterRole"
                && !IsHook(item)
                && !((string)item["metadata"]!["name"]!).EndsWith("-switch", StringComparison.Ordinal)
            )
            .SelectMany(role => role["rules"]!.AsArray())
            .Select(rule => $"{string.Join(',', rule!["resources"]!.AsArray())}:{string.Join(',', rule["verbs"]!.AsArray())}");
        Assert.That(string.Join(' ', rules), Is.EqualTo(expected));
    }

    [Test]
    public void Pull_secrets_can_be_read_in_the_listed_namespaces_alone() =>
        Assert.That(
            _sets["pull-secrets-in-namespaces"]
                .Where(item => (string?)item["roleRef"]?["name"] == "proxyswapper-pull-secrets")
                .Select(item => $"{item["kind"]} {item["metadata"]!["namespace"]}"),
            Is.EqualTo(new[] { "RoleBinding team-a", "RoleBinding team-b" })
        );

    [Test]
    public void Every_disruption_budget_and_policy_and_service_selects_Pods_that_are_there()
    {
        foreach (var (set, item) in Objects("PodDisruptionBudget", "NetworkPolicy", "Service"))
        {
            var selector = (
                (item["spec"]!["selector"] ?? item["spec"]!["podSelector"])!["matchLabels"] ?? item["spec"]!["selector"]
            )!.AsObject();
            var selected = Pods().Where(pod => pod.Set == set && Selects(selector, pod.Pod)).ToList();
            // The mirror's CronJob and the Job of its first run are one component.
            var most = (string?)item["kind"] == "NetworkPolicy" ? 2 : 1;
            Assert.That(selected, Has.Count.InRange(1, most), $"{set}: {item["kind"]} {item["metadata"]!["name"]}");
            if ((string?)item["kind"] == "Service")
                foreach (var port in item["spec"]!["ports"]!.AsArray())
                    Assert.That(PortsOf(selected[0].Pod), Has.Member((string?)port!["targetPort"]), set);
        }
    }

    [Test]
    public void Monitors_read_ports_that_are_there()
    {
        foreach (var (set, monitor) in Objects("PodMonitor"))
        {
            var ports = Pods()
                .Where(pod => pod.Set == set && Selects(monitor["spec"]!["selector"]!["matchLabels"]!.AsObject(), pod.Pod))
                .SelectMany(pod => PortsOf(pod.Pod))
                .ToList();
            foreach (var endpoint in monitor["spec"]!["podMetricsEndpoints"]!.AsArray())
                Assert.That(ports, Has.Member((string?)endpoint!["port"]), set);
        }
        foreach (var (set, monitor) in Objects("ServiceMonitor"))
        {
            var services = Objects("Service")
                .Where(service => service.Set == set && Selects(monitor["spec"]!["selector"]!["matchLabels"]!.AsObject(), service.Item))
                .ToList();
            Assert.That(services, Has.Count.EqualTo(1), set);
            foreach (var endpoint in monitor["spec"]!["endpoints"]!.AsArray())
                Assert.That(
                    services[0].Item["spec"]!["ports"]!.AsArray().Select(port => (string?)port!["name"]),
                    Has.Member((string?)endpoint!["port"]),
                    set
                );
        }
    }

    [Test]
    public void The_program_accepts_every_configuration_of_the_chart()
    {
        using var folder = new TemporaryFolder();
        var count = 0;
        foreach (var (set, map) in Objects("ConfigMap"))
        foreach (var (key, value) in map["data"]!.AsObject())
        {
            var file = folder.PathOf(key);
            File.WriteAllText(file, (string)value!);
            if (key is "config.yaml" or "credentials.yaml")
                Assert.That(() => ConfigurationReader.Read(file, EnvironmentVariables.None), Throws.Nothing, set);
            else if (key == "mirror.yaml")
                Assert.That(() => MirrorFileReader.Read(file), Throws.Nothing, set);
            else
                continue;
            count++;
        }
        Assert.That(count, Is.GreaterThan(HelmChart.ValueSets.Count / 2));
    }

    [Test]
    public void The_configuration_goes_into_the_ConfigMap_unchanged()
    {
        var values = YamlObjects.Read(File.ReadAllText(HelmChart.ValueSet("amazon")))[0]["config"]!;
        var written = YamlObjects.Read(
            (string)_sets["amazon"].Single(item => (string?)item["kind"] == "ConfigMap")["data"]!["config.yaml"]!
        )[0];
        Assert.That(JsonNode.DeepEquals(written, values), Is.True, written.ToJsonString());
    }

    [Test]
    public void The_termination_grace_period_is_longer_than_the_drain()
    {
        foreach (
            var (set, deployment) in Objects("Deployment")
                .Where(item => (string?)item.Item["metadata"]!["name"] is HelmChart.Release or "swapper")
        )
        {
            var file = (string)
                _sets[set].Single(item => (string?)item["kind"] == "ConfigMap" && item["data"]!["config.yaml"] is not null)["data"]![
                    "config.yaml"
                ]!;
            var options = ConfigurationReader.ReadText("config.yaml", file, EnvironmentVariables.None);
            Assert.That(
                (long)deployment["spec"]!["template"]!["spec"]!["terminationGracePeriodSeconds"]!,
                Is.GreaterThan((options.DrainDelay + options.ShutdownGracePeriod).TotalSeconds),
                set
            );
        }
    }

    [Test]
    public void Uninstalling_removes_the_webhook_first_with_the_least_rights()
    {
        var hooks = _sets["default"].Where(item => IsHook(item, "pre-delete")).ToList();
        Assert.That(
            hooks.Select(item =>
                $"{item["metadata"]!["annotations"]!["helm.sh/hook"]} "
                + $"{item["metadata"]!["annotations"]!["helm.sh/hook-weight"]} {item["kind"]}"
            ),
            Is.EqualTo(
                new[]
                {
                    "pre-delete -10 ServiceAccount",
                    "pre-delete -10 ClusterRole",
                    "pre-delete -5 ClusterRoleBinding",
                    "pre-delete 0 Job",
                }
            )
        );
        Assert.That(
            hooks[1]["rules"]![0]!.ToJsonString(),
            Is.EqualTo(
                """{"apiGroups":["admissionregistration.k8s.io"],"resources":["""
                    + "\"mutatingwebhookconfigurations\",\"mutatingadmissionpolicybindings\",\"mutatingadmissionpolicies\""
                    + """],"resourceNames":["k8s-proxy-image-swapper-webhook"],"verbs":["delete"]}"""
            )
        );
        Assert.That(_sets["unregistered"].Where(item => IsHook(item)), Is.Empty);
    }

    [Test]
    public void A_first_run_has_another_name_when_what_it_does_is_another()
    {
        var job = Objects("Job").Single(item => item.Set == "mirror-first-run").Item;
        Assert.That((string?)job["spec"]!["completionMode"], Is.EqualTo("Indexed"));
        Assert.That(((long)job["spec"]!["completions"]!, (long)job["spec"]!["parallelism"]!), Is.EqualTo((8, 8)));
        Assert.That(
            job["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.ToJsonString(),
            Does.Contain("""{"name":"JOB_PARALLELISM","value":"8"}""")
        );
        var other = Objects("Job").Single(item => item.Set == "full" && !IsHook(item.Item)).Item;
        Assert.That((string?)job["metadata"]!["name"], Does.Match("^proxyswapper-mirror-[0-9a-f]{8}$"));
        Assert.That(((string)other["metadata"]!["name"]!)[^8..], Is.Not.EqualTo(((string)job["metadata"]!["name"]!)[^8..]));
    }

    private IEnumerable<(string Set, JsonObject Item)> Objects(params string[] kinds) =>
        _sets.SelectMany(set => set.Value.Where(item => kinds.Contains((string?)item["kind"])).Select(item => (set.Key, item)));

    private IEnumerable<(string Set, JsonNode Pod)> Pods() =>
        Objects(Workloads)
            .Select(workload =>
                (
                    workload.Set,
                    (workload.Item["spec"]!["jobTemplate"]?["spec"] ?? workload.Item["spec"])!["template"] ?? (JsonNode)workload.Item
                )
            );
}
