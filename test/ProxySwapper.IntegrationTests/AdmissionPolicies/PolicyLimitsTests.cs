using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>
/// Large or unusual Pods are swapped or left unchanged; the API server accepts every Pod that it accepts without a policy.
/// </summary>
[TestFixture, NeedsServer, NeedsModernServer]
internal sealed partial class PolicyLimitsTests
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
    public async Task As_many_rules_as_are_not_rejected_are_swapped()
    {
        var rules = Enumerable.Range(1, 40).Select(tens => tens * 10).Last(count => RuleSetGenerator.IsUsable(Wildcards(count)));
        Assert.That(rules, Is.InRange(50, 390), "some are taken, and some rejected");
        var number = await _scene.AddAsync(Wildcards(rules));
        await _scene.WaitUntilInForceAsync();
        await TestContext.Out.WriteLineAsync($"{rules} rules with wildcards");
        await AssertSwappedAsync(number, rules, 390);
    }

    /// <summary>A single rule cannot be split over expressions: the limit of one holds, beside the limit of all.</summary>
    [TestCase("rules: [{{matchRegex: '{0}', replace: 'r.example/one:1', allowSharedTarget: true}}]", "rules[0]")]
    [TestCase("rules: [{{matchRegex: '({0})(.*)', replace: 'r.example/x$2', allowSharedTarget: true}}]", "rules[0]")]
    public async Task A_rule_as_long_as_is_not_rejected_is_swapped(string configuration, string key)
    {
        string Configuration(int count) => string.Format(CultureInfo.InvariantCulture, configuration, Alternatives(count));
        var longest = Enumerable.Range(1, 60).Select(tens => tens * 10).Last(count => RuleSetGenerator.IsUsable(Configuration(count)));
        Assert.That(longest, Is.InRange(10, 590), "some are taken, and some rejected");
        var rejection = Compile(Configuration(longest + 10)).Rejections.Single();
        Assert.That(rejection.Key, Is.EqualTo(key));
        Assert.That(rejection.Reason, Does.StartWith("costs too much for a policy").And.Contain("of the 800,000 units"));
        var number = await _scene.AddAsync(Configuration(longest));
        await _scene.WaitUntilInForceAsync();
        await TestContext.Out.WriteLineAsync($"{longest} alternatives");
        var images = Enumerable.Range(0, 60).Select(index => Image($"host-{longest - 1}.example", index, 390)).ToList();
        var (webhook, policy) = await ResponsesAsync(number, PodGenerator.PodOf(images));
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
            var (webhook, policy) = await ResponsesAsync(number, PodGenerator.PodOf([.. images]));
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
        var (webhook, policy) = await ResponsesAsync(number, pod);
        Assert.That(policy, Is.EqualTo(webhook).And.Contain("t.example/999/app:59"));
    }

    [Test]
    public async Task A_hundred_long_images_are_ignored()
    {
        var images = string.Concat(UnusualPods.LongImages(98).Select(image => $"  - {image}\n"));
        var number = await _scene.AddAsync($"rules: [{{match: '**', target: 'r.example/{{registry}}'}}]\nignoreImages:\n{images}");
        await _scene.WaitUntilInForceAsync();
        var (webhook, policy) = await ResponsesAsync(number, PodGenerator.PodOf(["nginx", .. UnusualPods.LongImages(98).TakeLast(2)]));
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
            var (webhook, policy) = await ResponsesAsync(number, pod);
            Assert.That(policy == webhook, $"{name}: {policy[..300]} … {policy[^300..]}");
            Assert.That(policy, Does.Contain("\"r.example/"), name);
        }
        // Only the annotations with the original images are missing where there are more than can be measured.
        var (_, many) = await ResponsesAsync(number, UnusualPods.WithAnnotations(30_000));
        Assert.That(many.Contains("\"r.example/", StringComparison.Ordinal), many[..300]);
        Assert.That(many.Contains("original-image.", StringComparison.Ordinal), Is.False);
        Assert.That(await FailuresAsync(number), Is.Empty);
    }

    /// <summary>
    /// If etcd does not store what a policy makes of a Pod, the API server fails the request, whatever makes it large.
    /// </summary>
    [Test]
    public async Task A_pod_that_would_become_too_large_for_etcd_keeps_its_images()
    {
        var target = $"r.example/{new string('a', 130)}";
        var number = await _scene.AddAsync($"proxyUrl: {target}");
        await _scene.WaitUntilInForceAsync();
        Assert.That((await ResponsesAsync(number, UnusualPods.Heavy(_ => { }))).Policy, Does.Contain($"\"{target}/"));
        foreach (var (name, podOf) in UnusualPods.Heaviest())
        {
            // Of the sizes that are stored without a policy, nearly the largest: with the new images it is not.
            var size = 1_560_000;
            var pod = podOf(size);
            while ((await _scene.StoreAsync("nobody", "default", Named(pod, "without"))).Status != HttpStatusCode.Created)
                pod = podOf(size -= 10_000);
            Assert.That(size, Is.InRange(1_450_000, 1_550_000), name);
            var (with, body) = await _scene.StoreAsync($"policy-{number}", "default", Named(pod, "with"));
            Assert.That(with, Is.EqualTo(HttpStatusCode.Created), $"{name}: {Start(body)}");
            Assert.That((string?)body["spec"]!["containers"]![0]!["image"], Does.StartWith("bbb"), name);
            foreach (var container in pod["spec"]!["containers"]!.AsArray())
                container!["image"] = $"{target}/library/{container["image"]}:latest";
            var (swapped, _) = await _scene.StoreAsync("nobody", "default", Named(pod, "swapped"));
            Assert.That(swapped, Is.Not.EqualTo(HttpStatusCode.Created), $"{name}, {size}: etcd stores it with the new images too");
        }
        Assert.That(await FailuresAsync(number), Is.Empty);
        static JsonObject Named(JsonObject pod, string name)
        {
            pod["metadata"]!["name"] = $"{name}-{Guid.NewGuid():n}";
            return pod;
        }
    }

    /// <summary>One policy for all: each would be waited for.</summary>
    [Test]
    public async Task Unusual_pods_are_admitted_as_without_a_policy_and_swapped_as_by_the_webhook()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example\nignoreImages: ['**/*:*x*']");
        await _scene.WaitUntilInForceAsync();
        var swapped = 0;
        var rejected = new List<(string Name, HttpStatusCode Status, JsonObject Pod)>();
        foreach (var (name, text) in UnusualPods.All())
        {
            var pod = JsonNode.Parse(text)!.AsObject();
            var (without, _) = await _scene.CreateAsync("nobody", "default", pod);
            if (without != HttpStatusCode.Created)
            {
                rejected.Add((name, without, pod));
                continue;
            }
            var (webhook, policy) = await ResponsesAsync(number, pod);
            Assert.That(policy == webhook, $"{name}: {policy[..Math.Min(1000, policy.Length)]}");
            if (policy.Contains("\"r.example/", StringComparison.Ordinal))
                swapped++;
        }
        Assert.That(swapped, Is.AtLeast(4));
        Assert.That(await FailuresAsync(number), Is.Empty, "no expression failed, which failurePolicy Ignore would hide");
        Assert.That(rejected.Select(item => item.Name), Is.EqualTo(UnusualPods.Rejected));
        foreach (var (name, status, pod) in rejected)
            Assert.That((await _scene.CreateAsync($"policy-{number}", "default", pod)).Status, Is.EqualTo(status), name);
    }

    /// <summary>The API server evaluates the policy again after its own change: for the new, longer references.</summary>
    [Test]
    public async Task Three_hundred_images_are_within_the_limit_after_they_were_swapped_too()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example/a-path-of-some-length");
        await _scene.WaitUntilInForceAsync();
        var images = Enumerable.Range(0, 300).Select(index => $"team-{index}/{new string('a', 85)}:1.{index}");
        var (webhook, policy) = await ResponsesAsync(number, PodGenerator.PodOf([.. images]));
        Assert.That(policy == webhook && policy.Contains("original-image.", StringComparison.Ordinal), policy[..300]);
        Assert.That(await FailuresAsync(number), Is.Empty);
    }

    /// <summary>Two thousand images exceed the limit; only the API server counts that.</summary>
    [Test]
    public async Task A_pod_that_exceeds_the_cost_limit_is_admitted_unchanged_and_counted()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example");
        await _scene.WaitUntilInForceAsync();
        var pod = PodGenerator.PodOf([.. Enumerable.Range(0, 2000).Select(index => $"app{index}:1")]);
        Assert.That(await FailuresAsync(number), Is.Empty);
        var without = PolicyScene.Comparable(await _scene.CreateAsync("nobody", "default", pod));
        var with = PolicyScene.Comparable(await _scene.CreateAsync($"policy-{number}", "default", pod));
        Assert.That(with == without && with.StartsWith("201 ", StringComparison.Ordinal), with[..300]);
        Assert.That(
            await FailuresAsync(number),
            Has.Exactly(1).Contains("apiserver_mutating_admission_policy_check_total{").And.Contain("error_type=\"invalid_error\"")
        );
    }

    private static CompiledPolicy Compile(string configuration)
    {
        var environment = EnvironmentVariables.None;
        return PolicyCompiler.Compile(
            ConfigurationReader.ReadText("config.yaml", configuration, environment),
            ConfigurationLocations.Of("config.yaml", configuration, environment)
        );
    }

    /// <summary>
    /// The API server's counts of evaluations of a policy that failed, and of match conditions; each line of the metrics is absent until
    /// the first.
    /// </summary>
    private async Task<IReadOnlyList<string>> FailuresAsync(int number) =>
        [
            .. (await _scene.Server.KubectlAsync("get", "--raw", "/metrics"))
                .Split('\n')
                .Where(line =>
                    line.Contains($"\"policy-{number}\"", StringComparison.Ordinal)
                    && (
                        line.StartsWith("apiserver_mutating_admission_policy_check_total{", StringComparison.Ordinal)
                            && !line.Contains("error_type=\"no_error\"", StringComparison.Ordinal)
                        || line.StartsWith("apiserver_admission_match_condition_evaluation_errors_total{", StringComparison.Ordinal)
                    )
                ),
        ];

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
        var (webhook, policy) = await ResponsesAsync(number, PodGenerator.PodOf(images));
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

    private async Task<(string Webhook, string Policy)> ResponsesAsync(int number, JsonObject pod) =>
        (
            PolicyScene.Comparable(await _scene.CreateAsync($"webhook-{number}", "default", pod)),
            PolicyScene.Comparable(await _scene.CreateAsync($"policy-{number}", "default", pod))
        );
}
