using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;

namespace ProxySwapper.Tests.Manifests;

[TestFixture]
internal sealed class WorkloadReaderTests
{
    private const string Rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\n";

    [TestCase("Pod", "spec: {containers: [{image: a}]}")]
    [TestCase("Deployment", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("StatefulSet", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("DaemonSet", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("ReplicaSet", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("ReplicationController", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("Job", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}")]
    [TestCase("PodTemplate", "template: {spec: {containers: [{image: a}]}}")]
    public void Every_kind_that_creates_pods_is_read(string kind, string rest) =>
        Assert.That(Read($"kind: {kind}\n{rest}"), Is.EqualTo(new[] { new ManifestImage("a", "here") }));

    [Test]
    public void Lists_json_documents_namespaces_and_all_places_of_a_pod_are_read()
    {
        var images = Read(
            """
            kind: Service
            ---
            kind: List
            items:
              - kind: Pod
                metadata: {namespace: there}
                spec:
                  initContainers: [{image: init}]
                  containers: [{image: main}, {name: none}]
                  ephemeralContainers: [{image: debug}]
                  volumes: [{image: {reference: data}}, {emptyDir: {}}]
            ---
            {"kind": "PodList", "items": [{"kind": "Pod", "spec": {"containers": [{"image": "json"}]}}]}
            ---
            """
        );
        Assert.That(
            images.Select(image => $"{image.Namespace}/{image.Image}"),
            Is.EqualTo(new[] { "there/init", "there/main", "there/debug", "there/data", "here/json" })
        );
    }

    [Test]
    public void Items_of_a_typed_list_need_no_kind() =>
        Assert.That(
            Read("kind: DeploymentList\nitems: [{spec: {template: {spec: {containers: [{image: a}]}}}}]"),
            Is.EqualTo(new[] { new ManifestImage("a", "here") })
        );

    [Test]
    public void An_opted_out_pod_is_recognised()
    {
        const string Template = "{metadata: {labels: {proxyswapper.io/ignore: 'true'}}, spec: {containers: [{image: a}]}}";
        Assert.That(Read($"kind: Deployment\nspec: {{template: {Template}}}").Single().IsOptedOut, Is.True);
        Assert.That(Read(Template.Replace("{metadata", "{kind: Pod, metadata", StringComparison.Ordinal)).Single().IsOptedOut, Is.True);
    }

    [Test]
    public void A_list_that_contains_itself_is_rejected() =>
        Assert.That(
            () => Read("&list {kind: List, items: [*list]}"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contain("'list' contains itself")
        );

    [TestCase("Rollout", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("DeploymentConfig", "spec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("Service", "apiVersion: serving.knative.dev/v1\nspec: {template: {spec: {containers: [{image: a}]}}}")]
    [TestCase("Own", "spec: {workers: [{podTemplate: {spec: {containers: [{image: a}]}}}]}")]
    public void Pod_templates_are_found_in_kinds_of_any_name(string kind, string rest) =>
        Assert.That(Read($"kind: {kind}\n{rest}"), Is.EqualTo(new[] { new ManifestImage("a", "here") }));

    [Test]
    public void Merge_keys_are_resolved() =>
        Assert.That(
            Read(
                    """
                    kind: Pod
                    x-base: &base {image: a, name: one}
                    spec: {containers: [{<<: *base, name: two}, {<<: [{image: b}, *base]}]}
                    """
                )
                .Select(image => image.Image),
            Is.EqualTo(new[] { "a", "b" })
        );

    [Test]
    public void Every_template_of_a_manifest_is_found()
    {
        var images = Read(
            """
            apiVersion: example.com/v1
            kind: Cluster
            spec:
              containers: [{image: a}]
              initJob: {template: {spec: {containers: [{image: b}]}}}
              sidecarPodSpec: {containers: [{image: c}], initContainers: [{image: d}]}
            template: {metadata: {labels: {proxyswapper.io/ignore: 'true'}}, spec: {containers: [{image: e}]}}
            ---
            apiVersion: example.com/v1
            kind: Cluster
            spec:
              head: {template: {spec: {containers: [{image: f}]}}}
              workers: [{template: {spec: {containers: [{image: g}], nested: [{spec: {containers: [{image: h}]}}]}}}]
            """
        );
        Assert.That(images.Select(image => image.Image), Is.EquivalentTo(new[] { "a", "b", "c", "d", "e", "f", "g", "h" }));
        Assert.That(images.Where(image => image.IsOptedOut).Select(image => image.Image), Is.EqualTo(new[] { "e" }));
    }

    [Test]
    public void What_has_no_images_is_named()
    {
        const string Text =
            "kind: Service\nmetadata: {name: web}\n---\nkind: ConfigMap\ndata: {image: nginx}\n---\n"
            + "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m}\nspec: {imagePullPolicy: Always}";
        var found = WorkloadReader.Read("m.yaml", Text, "here");
        Assert.That(found.Skipped, Is.EqualTo(new[] { "Service/web", "ConfigMap", "ServiceMonitor/m" }));
        Assert.That(found.Unread, Is.Empty);
    }

    [TestCase("text", "line 1 (not a manifest)")]
    [TestCase("- a", "line 1 (not a manifest)")]
    [TestCase("spec: {image: nginx}", "line 1 (no kind)")]
    [TestCase("kind: List\nitems: [text]", "line 2 (not a manifest)")]
    [TestCase("kind: Deployment\nmetadata: {name: web}\nspec: {template: {}}", "Deployment/web (no Pod template)")]
    [TestCase("kind: Pod\nspec: {containers: nginx}", "Pod (no Pod template)")]
    [TestCase(
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k}\n"
            + "spec:\n  image: quay.io/p/p:v2\n  containers: [{image: a}]",
        "Prometheus/k (spec.image in line 5: not in a Pod template)"
    )]
    [TestCase(
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nspec: {imageName: ghcr.io/p/p:16}",
        "Cluster (spec.imageName in line 3: not in a Pod template)"
    )]
    [TestCase(
        "apiVersion: x.example/v1\nkind: X\nspec: {parts: [{image: {repository: quay.io/a/b, tag: v1}}]}",
        "X (spec.parts[0].image in line 3: not in a Pod template)"
    )]
    [TestCase(
        "apiVersion: x.example/v1\nkind: X\nspec: {steps: [{image: nginx}], proxyImage: envoy:1}",
        "X (spec.steps[0].image in line 3: not in a Pod template)",
        "X (spec.proxyImage in line 3: not in a Pod template)"
    )]
    [TestCase("kind: Pod\nspec:\n  containers: [{name: a}]", "Pod (containers[0] in line 3: no image)")]
    [TestCase("kind: Pod\nspec: {containers: [], initContainers: [{image: null}]}", "Pod (initContainers[0] in line 2: no image)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: ''}]}", "Pod (containers[0] in line 2: no image)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: }]}", "Pod (containers[0] in line 2: no image)")]
    [TestCase("kind: Pod\nspec: {containers: [{\n  image: 7}]}", "Pod (containers[0].image in line 3: must be a string, not 7)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: 1.5}]}", "Pod (containers[0].image in line 2: must be a string, not 1.5)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: true}]}", "Pod (containers[0].image in line 2: must be a string, not true)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: on}]}", "Pod (containers[0].image in line 2: must be a string, not on)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: 1_000}]}", "Pod (containers[0].image in line 2: must be a string, not 1_000)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: 0x1F}]}", "Pod (containers[0].image in line 2: must be a string, not 0x1F)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: .inf}]}", "Pod (containers[0].image in line 2: must be a string, not .inf)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: -.INF}]}", "Pod (containers[0].image in line 2: must be a string, not -.INF)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: !!int '7'}]}", "Pod (containers[0].image in line 2: must be a string, not 7)")]
    [TestCase("kind: Pod\nspec: {containers: [{image: NULL}]}", "Pod (containers[0] in line 2: no image)")]
    [TestCase("kind: Pod\nspec: {containers: [], volumes: [{image: {}}, {name: b}]}", "Pod (volumes[0] in line 2: no reference)")]
    [TestCase("kind: Pod\nspec:\n  containers: []\n  initContainers: {image: a}", "Pod (initContainers in line 4: must be a list)")]
    [TestCase("kind: Pod\nspec:\n  containers: []\n  ephemeralContainers: a", "Pod (ephemeralContainers in line 4: must be a list)")]
    [TestCase("kind: Pod\nspec: {containers: [], volumes: {a: {image: b}}}", "Pod (volumes in line 2: must be a list)")]
    [TestCase("kind: List\nitems: {kind: Pod, spec: {containers: [{image: a}]}}", "List (items in line 2: must be a list)")]
    [TestCase("kind: List\nitems: text", "List (items in line 2: must be a list)")]
    [TestCase("kind: DeploymentList\nitems: '{{ .Values.x }}'", "DeploymentList (items in line 2: must be a list)")]
    [TestCase(
        "apiVersion: argoproj.io/v1alpha1\nkind: RolloutList\nitems: '{{ .Values.x }}'",
        "RolloutList (items in line 3: must be a list)"
    )]
    [TestCase(
        "kind: Pod\nspec:\n  containers: []\n  volumes:\n  - image: quay.io/m/x:1\n  - image: [a]\n  - image: '{{ .Values.m }}'",
        "Pod (volumes[0].image in line 5: must be a mapping)",
        "Pod (volumes[1].image in line 6: must be a mapping)",
        "Pod (volumes[2].image in line 7: must be a mapping)"
    )]
    [TestCase(
        Rollout + "spec: {template: {spec: {containers: '{{ .Values.c }}'}}}",
        "Rollout/r (spec.template.spec.containers in line 4: must be a list)"
    )]
    [TestCase(
        Rollout + "spec: {template: {spec: {initContainers: text, containers: null}}}",
        "Rollout/r (spec.template.spec.initContainers in line 4: must be a list)"
    )]
    [TestCase(Rollout + "spec: {template: '{{ .Values.t }}'}", "Rollout/r (spec.template in line 4: must be a mapping)")]
    [TestCase(Rollout + "spec: {jobTemplate: '{{ .Values.t }}'}", "Rollout/r (spec.jobTemplate in line 4: must be a mapping)")]
    [TestCase(Rollout + "spec: '{{ .Values.s }}'", "Rollout/r (spec in line 4: must be a mapping)")]
    [TestCase(Rollout + "podSpec: '{{ include \"pod\" . }}'", "Rollout/r (podSpec in line 4: must be a mapping)")]
    [TestCase(Rollout + "spec: {templates: ['{{ .Values.t }}']}", "Rollout/r (spec.templates in line 4: must be a list of mappings)")]
    [TestCase(Rollout + "spec: {image: '{{ .Values.i }}'}", "Rollout/r (spec.image in line 4: not in a Pod template)")]
    public void What_may_name_images_but_is_not_read_is_named(string text, params string[] unread)
    {
        var found = WorkloadReader.Read("m.yaml", text, "here");
        Assert.That(found.Unread, Is.EqualTo(unread));
        Assert.That(found.Skipped, Is.Empty);
    }

    [TestCase("spec: {steps: [{template: whalesay}]}"), TestCase("spec: {template: null, containers: null, volumes: }")]
    [TestCase("spec: {steps: [{template: '{{inputs.parameters.t}}'}]}"), TestCase("spec: {rewrite: [{template: '{{ .value | upper }}'}]}")]
    [TestCase("spec: {git: {commit: {messageTemplate: '{{range .Updated.Images}}{{println .}}{{end}}'}}}")]
    [TestCase("spec: {groups: [{rules: [{labels: {image: '{{ $labels.image }}'}}]}]}")]
    public void Names_of_templates_and_expressions_of_operators_hide_no_images(string spec)
    {
        var found = WorkloadReader.Read("m.yaml", Rollout + spec, "here");
        Assert.That((found.Skipped.Single(), found.Unread.Count), Is.EqualTo(("Rollout/r", 0)));
    }

    [TestCase("!!str 7"), TestCase("! 7"), TestCase("'7'"), TestCase("'null'"), TestCase("nan"), TestCase("1.5-alpine"), TestCase("1e")]
    [TestCase("tRue"), TestCase("nULL"), TestCase("0xZZ"), TestCase("_1"), TestCase("'NULL'"), TestCase("!!str .inf")]
    public void What_is_a_string_for_kubectl_is_an_image(string image)
    {
        var found = WorkloadReader.Read("m.yaml", $"kind: Pod\nspec: {{containers: [{{image: {image}}}]}}", "here");
        Assert.That((found.Images.Single().Image, found.Unread.Count), Is.EqualTo((image.Split(' ')[^1].Trim('\''), 0)));
    }

    [TestCase("nginx"), TestCase("null")]
    public void An_item_that_is_no_container_is_rejected_with_its_line(string item) =>
        Assert.That(
            () => Read($"kind: Pod\nspec:\n  containers:\n    - {item}"),
            Throws
                .TypeOf<ConfigurationException>()
                .With.Message.StartsWith("m.yaml:4:7: the items of containers must be mappings; render templates first")
        );

    [Test]
    public void A_template_that_was_not_rendered_is_rejected_with_its_line() =>
        Assert.That(
            () => Read("kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.image }}"),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("m.yaml:4:14: image must be a string; render templates")
        );

    [TestCase("kind: Pod\nspec:\n  containers: {{ .Values.containers }}", "3:15")]
    [TestCase("kind: Pod\nspec:\n  containers: [{image: a}]\n  initContainers: {{ .Values.init }}", "4:19")]
    [TestCase("kind: Pod\nspec:\n  containers: [{image: a}]\n  volumes: {{ .Values.volumes }}", "4:12")]
    [TestCase("kind: List\nitems: {{ .Values.items }}", "2:8")]
    [TestCase("kind: List\nitems:\n- kind: Deployment\n  spec: {{ .Values.spec }}", "4:9")]
    [TestCase("apiVersion: x.example/v1\nkind: X\nspec: {{ .Values.spec }}", "3:7")]
    [TestCase("{kind: MutatingAdmissionPolicyBinding, spec: 7, ? {a: b} : c, ? {c: d} : e}", "1:1")]
    public void A_template_in_place_of_a_list_or_mapping_is_rejected_with_its_line(string text, string place) =>
        Assert.That(
            () => Read($"{text}\n---\nkind: Pod\nspec: {{containers: [{{image: good}}]}}"),
            Throws
                .TypeOf<ConfigurationException>()
                .With.Message.EqualTo($"m.yaml:{place}: keys must be strings; render templates first, for example with helm template")
        );

    [Test]
    public void Items_of_a_kind_that_is_no_list_hide_no_template()
    {
        const string Template = "spec: {template: {spec: {containers: [{image: a}]}}}";
        Assert.That(
            Read($"apiVersion: apps/v1\nkind: Deployment\nitems: []\n{Template}\n---\nkind: Batch\nitems: [{{name: b}}]\n{Template}"),
            Is.EqualTo(new[] { new ManifestImage("a", "here"), new ManifestImage("a", "here") })
        );
    }

    [TestCase(""), TestCase("text"), TestCase("- a"), TestCase("kind: Pod"), TestCase("kind: Pod\nspec: 3"), TestCase("kind: [a]")]
    public void Kinds_that_create_no_pods_have_no_images(string text) => Assert.That(Read(text), Is.Empty);

    [Test]
    public void Broken_yaml_is_reported_with_its_place() =>
        Assert.That(() => Read("kind: Pod\n  spec: ["), Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("m.yaml:2:"));

    [Test]
    public void A_label_that_is_given_twice_is_reported_with_its_place() =>
        Assert.That(
            () => Read("kind: Pod\nmetadata:\n  labels: {a: x, !!str a: y}\nspec: {containers: [{image: a}]}"),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith("m.yaml:3:").And.Message.Contains("uplicate key a")
        );

    private static IReadOnlyList<ManifestImage> Read(string text) =>
        [.. WorkloadReader.Read("m.yaml", text, "here").Images.Select(image => image with { Kind = "", Name = "" })];
}
