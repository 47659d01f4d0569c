using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>
/// Large or unusual Pods are swapped or left unchanged; the API server accepts every Pod that it accepts without a policy.
/// </summary>
[TestFixture, NeedsServer, NeedsModernServer]
internal sealed class PolicyLimitsTests
{
    private PolicyScene _scene = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _scene = await PolicyScene.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [TearDown]
    public async Task RemoveAsync() => await _scene.RemoveAllAsync();

    [TestCase(20, 30)]
    [TestCase(20, 450)]
    [TestCase(20, 700)]
    public async Task Sixty_images_and_twenty_rules_with_wildcards_are_swapped(int rules, int length)
    {
        var number = await _scene.AddAsync(Wildcards(rules));
        await _scene.WaitUntilInForceAsync();
        await AssertSwappedAsync(number, rules, length);
    }

    [Test]
    public async Task As_many_rules_as_are_not_refused_are_swapped()
    {
        var rules = Enumerable.Range(1, 40).Select(tens => tens * 10).Last(count => RuleSetGenerator.IsUsable(Wildcards(count)));
        Assert.That(rules, Is.InRange(50, 390), "some are taken, and some refused");
        var number = await _scene.AddAsync(Wildcards(rules));
        await _scene.WaitUntilInForceAsync();
        await TestContext.Out.WriteLineAsync($"{rules} rules with wildcards");
        await AssertSwappedAsync(number, rules, 390);
    }

    /// <summary>A single rule cannot be split over expressions: the limit of one holds, beside the limit of all.</summary>
    [TestCase("rules: [{{matchRegex: '{0}', replace: 'r.example/one:1', allowSharedTarget: true}}]", "rules[0]")]
    [TestCase("rules: [{{matchRegex: '({0})(.*)', replace: 'r.example/x$2', allowSharedTarget: true}}]", "rules[0]")]
    public async Task A_rule_as_long_as_is_not_refused_is_swapped(string configuration, string key)
    {
        string Configuration(int count) => string.Format(CultureInfo.InvariantCulture, configuration, Alternatives(count));
        var longest = Enumerable.Range(1, 60).Select(tens => tens * 10).Last(count => RuleSetGenerator.IsUsable(Configuration(count)));
        Assert.That(longest, Is.InRange(10, 590), "some are taken, and some refused");
        var refusal = Compile(Configuration(longest + 10)).Refusals.Single();
        Assert.That(refusal.Key, Is.EqualTo(key));
        Assert.That(refusal.Reason, Does.StartWith("costs too much for a policy").And.Contain("of the 800,000 units"));
        var number = await _scene.AddAsync(Configuration(longest));
        await _scene.WaitUntilInForceAsync();
        await TestContext.Out.WriteLineAsync($"{longest} alternatives");
        var images = Enumerable.Range(0, 60).Select(index => Image($"host-{longest - 1}.example", index, 390)).ToList();
        var (webhook, policy) = await AnswersAsync(number, PodGenerator.PodOf(images));
        Assert.That(policy, Is.EqualTo(webhook).And.Contain("original-image."));
        static string Alternatives(int count) =>
            $"(?:{string.Join('|', Enumerable.Range(0, count).Select(index => $"host-{index}[.]example"))})/.*";
    }

    /// <summary>The cost of cutting is counted for this many places; with several times as many the whole Pod is left unchanged.</summary>
    [Test]
    public async Task Images_with_a_dozen_places_to_cut_at_are_swapped()
    {
        var number = await _scene.AddAsync("rules: [{matchRegex: '(.*)o(.*)', replace: r.example/x/y$2, allowSharedTarget: true}]");
        await _scene.WaitUntilInForceAsync();
        foreach (var (places, isSwapped) in new[] { (12, true), (190, false) })
        {
            var images = Enumerable.Range(0, 60).Select(index => $"quay.test/{new string('o', places)}/{index}:1");
            var (webhook, policy) = await AnswersAsync(number, PodGenerator.PodOf([.. images]));
            Assert.That(webhook, Does.Contain("original-image."));
            Assert.That(policy == webhook, Is.EqualTo(isSwapped), $"{places} places");
            Assert.That(policy, Does.StartWith("201 "));
        }
    }

    [Test]
    public async Task A_thousand_registries_are_swapped()
    {
        var rules = string.Concat(
            Enumerable.Range(0, 1000).Select(index => $"  - {{match: r{index}.example, target: t.example/{index}}}\n")
        );
        var number = await _scene.AddAsync($"rules:\n{rules}");
        await _scene.WaitUntilInForceAsync();
        var pod = PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"r{940 + index}.example/app:{index}")]);
        var (webhook, policy) = await AnswersAsync(number, pod);
        Assert.That(policy, Is.EqualTo(webhook).And.Contain("t.example/999/app:59"));
    }

    [Test]
    public async Task A_hundred_long_images_are_ignored()
    {
        var images = string.Concat(UnusualPods.LongImages(98).Select(image => $"  - {image}\n"));
        var number = await _scene.AddAsync($"rules: [{{match: '**', target: 'r.example/{{registry}}'}}]\nignoreImages:\n{images}");
        await _scene.WaitUntilInForceAsync();
        var (webhook, policy) = await AnswersAsync(number, PodGenerator.PodOf(["nginx", .. UnusualPods.LongImages(98).TakeLast(2)]));
        Assert.That(policy, Is.EqualTo(webhook).And.Contain("r.example/docker.io/library/nginx").And.Not.Contain("r.example/hh"));
    }

    /// <summary>What a Pod has beside its images costs too: the expressions that measure it stay within their limits.</summary>
    [Test]
    public async Task Pods_with_large_metadata_or_many_variables_are_swapped()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example\nignoreOwners: [db.example.com/*]");
        await _scene.WaitUntilInForceAsync();
        foreach (var (name, pod) in UnusualPods.Large())
        {
            var (webhook, policy) = await AnswersAsync(number, pod);
            Assert.That(policy == webhook, $"{name}: {policy[..300]} … {policy[^300..]}");
            Assert.That(policy, Does.Contain("\"r.example/"), name);
        }
    }

    /// <summary>The API server fails the request if etcd does not store what a policy makes of a Pod.</summary>
    [Test]
    public async Task A_pod_that_would_become_too_large_for_etcd_keeps_its_images()
    {
        var number = await _scene.AddAsync($"proxyUrl: r.example/{new string('a', 100)}");
        await _scene.WaitUntilInForceAsync();
        var pod = PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => $"{new string('b', 100)}{index}")]);
        Assert.That((await AnswersAsync(number, pod)).Policy, Does.Contain("\"r.example/aaa"));
        // Of the sizes that are stored without a policy, nearly the largest.
        var (without, size) = (HttpStatusCode.OK, 1_580_000);
        for (; without != HttpStatusCode.Created && size > 1_400_000; size -= 5_000)
        {
            pod["metadata"]!["name"] = $"without-{size}";
            pod["spec"]!["containers"]![0]!["env"] = new JsonArray(
                new JsonObject { ["name"] = "LARGE", ["value"] = new string('x', size) }
            );
            (without, _) = await _scene.StoreAsync("nobody", "default", pod);
        }
        Assert.That(without, Is.EqualTo(HttpStatusCode.Created));
        pod["metadata"]!["name"] = "with";
        var (with, body) = await _scene.StoreAsync($"policy-{number}", "default", pod);
        Assert.That(with, Is.EqualTo(HttpStatusCode.Created), Start(body));
        Assert.That((string?)body["spec"]!["containers"]![0]!["image"], Does.StartWith("bbb"));
    }

    /// <summary>One policy for all: each would be waited for.</summary>
    [Test]
    public async Task Unusual_pods_are_admitted_as_without_a_policy()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example\nignoreImages: ['**/*:*x*']");
        await _scene.WaitUntilInForceAsync();
        foreach (var (name, text) in UnusualPods.All())
        {
            var pod = JsonNode.Parse(text)!;
            var (without, _) = await _scene.CreateAsync("nobody", "default", pod);
            var (with, body) = await _scene.CreateAsync($"policy-{number}", "default", pod);
            Assert.That(with, Is.EqualTo(without), $"{name}: {Start(body)}");
        }
        // Two thousand images exceed the limit; the API server counts that, and tells nobody else.
        Assert.That(
            (await _scene.Server.KubectlAsync("get", "--raw", "/metrics"))
                .Split('\n')
                .Where(line => line.StartsWith("apiserver_mutating_admission_policy_check_total{", StringComparison.Ordinal)),
            Has.Some.Contains($"error_type=\"invalid_error\",policy=\"policy-{number}\"")
        );
    }

    [Test]
    public async Task Kubectl_shows_what_the_printed_policy_does()
    {
        var yaml = Printed($"{Wildcards(20)}  - {{match: docker.io, target: r.example}}\n");
        await _scene.Server.KubectlWithInputAsync(yaml, "apply", "-f", "-");
        const string Pod =
            """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""";
        string[] shown = ["apply", "--dry-run=server", "-f", "-", "-o", "jsonpath={.spec.containers[0].image} {.metadata.labels}"];
        var answer = "";
        await Testing.Time.TestWait.UntilAsync(
            async () => (answer = await _scene.Server.KubectlWithInputAsync(Pod, shown)).StartsWith("r.example/", StringComparison.Ordinal),
            "the swap by the printed policy"
        );
        Assert.That(answer, Is.EqualTo("""r.example/library/nginx:latest {"k8s-proxy-image-swapper":"patched-image"}"""));
        // Sixty containers, then Pods with odd metadata.
        var large = PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => Image("a.r19.example", index, 110))]);
        (large["apiVersion"], large["kind"]) = ("v1", "Pod");
        shown[^1] = "jsonpath={.spec.containers[*].image}";
        answer = await _scene.Server.KubectlWithInputAsync(large.ToJsonString(), shown);
        Assert.That(answer.Split(' '), Has.Length.EqualTo(60).And.All.StartsWith("t.example/19/p"));
        foreach (
            var metadata in new[]
            {
                """{"generateName":"web-","namespace":"default"}""",
                """{"name":"web","labels":null,"annotations":null}""",
            }
        )
        {
            var odd = JsonNode.Parse(Pod)!;
            odd["metadata"] = JsonNode.Parse(metadata);
            var verb = metadata.Contains("generateName", StringComparison.Ordinal) ? "create" : "apply";
            answer = await _scene.Server.KubectlWithInputAsync(odd.ToJsonString(), [verb, .. shown.Skip(1)]);
            Assert.That(answer, Is.EqualTo("r.example/library/nginx:latest"), metadata);
        }
        var again = await _scene.Server.KubectlWithInputAsync(yaml, "apply", "-f", "-");
        Assert.That(again, Does.Not.Contain("configured"), "what is printed is what the API server keeps");
    }

    [Test]
    public async Task The_printed_binding_is_disabled_and_enabled_with_a_file_and_beside_a_webhook()
    {
        const string Bindings = "mutatingadmissionpolicybindings";
        await _scene.Server.KubectlWithInputAsync(Printed("proxyUrl: r.example"), "apply", "-f", "-");
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"binding-{Guid.NewGuid():n}.json");
        var bare = await RunAsync("disable");
        Assert.That(bare.ExitCode, Is.EqualTo(1));
        Assert.That(bare.Error, Does.Contain("--file FILE"));
        Assert.That(await _scene.Server.KubectlAsync("get", Bindings, "-o", "name"), Does.Contain("/printed"));
        var disabled = await RunAsync("disable", "--file", file);
        Assert.That(disabled.ExitCode, Is.Zero, disabled.Error);
        Assert.That(await _scene.Server.KubectlAsync("get", Bindings, "-o", "name"), Does.Not.Contain("/printed"));
        var enabled = await RunAsync("enable", "--file", file);
        Assert.That(enabled.ExitCode, Is.Zero, enabled.Error);
        Assert.That(await _scene.Server.KubectlAsync("get", Bindings, "-o", "name"), Does.Contain("/printed"));
        const string Webhook =
            """{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{"name":"printed"}}""";
        await _scene.Server.KubectlWithInputAsync(Webhook, "apply", "-f", "-");
        var both = await RunAsync("disable", "--file", file);
        Assert.That(both.ExitCode, Is.Zero, both.Error);
        Assert.That(both.Output, Does.Contain("(MutatingWebhookConfiguration and MutatingAdmissionPolicyBinding)"));
        const string Webhooks = "mutatingwebhookconfigurations";
        Assert.That(await _scene.Server.KubectlAsync("get", $"{Bindings},{Webhooks}", "-o", "name"), Does.Not.Contain("/printed"));
        await _scene.Server.KubectlAsync("create", "-f", file, "--dry-run=server");
        Assert.That((await RunAsync("enable", "--file", file)).ExitCode, Is.Zero);
        var restored = await _scene.Server.KubectlAsync("get", $"{Bindings},{Webhooks}", "-o", "name");
        Assert.That(restored.Split('\n').Count(line => line.EndsWith("/printed", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That((await RunAsync("disable", "--discard")).ExitCode, Is.Zero);
        File.Delete(file);
    }

    private Task<ProgramResult> RunAsync(params string[] arguments) =>
        BuiltProgram.RunAsync([.. arguments, "--name", "printed", "--kubeconfig", _scene.Server.Kubeconfig]);

    /// <summary>What <c>proxyswapper policy --name printed</c> prints.</summary>
    private static string Printed(string configuration)
    {
        var objects = new PolicyObjects("printed", "v1");
        using var yaml = new StringWriter();
        YamlWriter.Write(yaml, [objects.PolicyOf(Compile(configuration).Policy), objects.Binding(podUpdates: false)]);
        return yaml.ToString();
    }

    private static CompiledPolicy Compile(string configuration)
    {
        var environment = new Dictionary<string, string>();
        return PolicyCompiler.Compile(
            ConfigurationReader.ReadText("config.yaml", configuration, environment),
            ConfigurationLocations.Of("config.yaml", configuration, environment)
        );
    }

    private static string Start(JsonNode body) => body.ToJsonString() is var text && text.Length > 1000 ? text[..1000] : text;

    private static string Wildcards(int count) =>
        "rules:\n"
        + string.Concat(
            Enumerable
                .Range(0, count)
                .Select(index =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  - {{match: \"*.r{index}.example/**/app-*\", target: \"t.example/{index}\", allowSharedTarget: true}}\n"
                    )
                )
        );

    /// <summary>Sixty different images that all match the last rule result in the same Pod as with the webhook.</summary>
    private async Task AssertSwappedAsync(int number, int rules, int length)
    {
        var images = Enumerable.Range(0, 60).Select(index => Image($"a.r{rules - 1}.example", index, length)).ToList();
        var (webhook, policy) = await AnswersAsync(number, PodGenerator.PodOf(images));
        Assert.That(policy, Is.EqualTo(webhook).And.Contain($"t.example/{rules - 1}/"));
    }

    /// <summary>A valid image of about this length: a path of up to 200, then a tag, then a sha512 digest, then a long host.</summary>
    private static string Image(string host, int index, int length)
    {
        var path = $"p{index}/{new string('a', Math.Clamp(length - 40, 1, 190))}/app-{index}";
        var tag = length > 250 ? new string('t', 128) : "1";
        var digest = length > 400 ? $"@sha512:{new string('0', 128)}" : "";
        var front = length > 500 ? string.Concat(Enumerable.Repeat("a123456789.", 20)) : "";
        return $"{front}{host}/{path}:{tag}{digest}";
    }

    private async Task<(string Webhook, string Policy)> AnswersAsync(int number, JsonObject pod) =>
        (
            PolicyScene.Comparable(await _scene.CreateAsync($"webhook-{number}", "default", pod)),
            PolicyScene.Comparable(await _scene.CreateAsync($"policy-{number}", "default", pod))
        );
}
