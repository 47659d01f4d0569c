using System.Net;
using System.Text.Json.Nodes;
using FsCheck.Fluent;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>The webhook and the policy produce the same Pod for the same request, on an API server that runs both.</summary>
[TestFixture, NeedsServer, NeedsModernServer]
internal sealed class PolicyEqualityTests
{
    /// <summary>Reviews that an API server never evaluates with a policy for Pods, with the reason.</summary>
    private static readonly Dictionary<string, string> NeverSent = new()
    {
        ["connect"] = "the operation CONNECT",
        ["delete"] = "the operation DELETE",
        ["kind-other"] = "another kind",
        ["kind-pod-of-another-group"] = "another kind",
        ["subresource-binding"] = "another subresource",
        ["subresource-eviction"] = "another subresource",
        ["subresource-resize"] = "another subresource",
        ["subresource-status"] = "another subresource",
        ["ephemeral-container-old-api"] = "a kind of API servers before 1.22",
        ["update-without-old"] = "no API server sends it",
    };

    /// <summary>Cases with a configuration that a policy cannot express and the compiler rejects.</summary>
    private static readonly string[] NotExpressible = ["dry-run-configured", "dry-run-explained", "dry-run-silent"];

    private PolicyScene _scene = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _scene = await PolicyScene.StartAsync();
        foreach (var name in PodGenerator.Namespaces)
            await _scene.CreateNamespaceAsync(name);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [TearDown]
    public async Task RemoveAsync() => await _scene.RemoveAllAsync();

    [Test]
    public async Task Every_golden_case_results_in_the_same_pod()
    {
        var cases = new List<(string Name, int Number, JsonNode Request)>();
        foreach (
            var folder in Directory
                .GetDirectories(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "admission"))
                .Order(StringComparer.Ordinal)
        )
        {
            var name = Path.GetFileName(folder);
            if (NeverSent.ContainsKey(name) || NotExpressible.Contains(name))
                continue;
            var request = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "review.json")))!["request"]!;
            await _scene.CreateNamespaceAsync((string)request["namespace"]!);
            cases.Add((name, await _scene.AddAsync(await File.ReadAllTextAsync(Path.Combine(folder, "config.yaml"))), request));
        }
        await _scene.WaitUntilInForceAsync();
        var (different, changed) = (new List<string>(), 0);
        foreach (var (name, number, request) in cases)
        {
            var (webhook, policy) = await ResponsesAsync(number, request);
            if (webhook != policy)
                different.Add($"{name}:\n  webhook {webhook}\n  policy  {policy}");
            if (webhook.StartsWith("201", StringComparison.Ordinal) && webhook.Contains("original-image.", StringComparison.Ordinal))
                changed++;
        }
        await TestContext.Out.WriteLineAsync($"{cases.Count} golden cases, {changed} of them changed");
        Assert.Multiple(() =>
        {
            Assert.That(different, Is.Empty);
            Assert.That(cases, Has.Count.AtLeast(75));
            Assert.That(changed, Is.AtLeast(30));
        });
    }

    /// <summary>The cases that are not compared all exist, and their configurations are rejected.</summary>
    [Test]
    public void Golden_cases_that_are_left_out_are_rejected()
    {
        foreach (var name in NeverSent.Keys.Concat(NotExpressible))
            Assert.That(Directory.Exists(FolderOf(name)), name);
        foreach (var name in NotExpressible)
            Assert.That(RuleSetGenerator.IsUsable(File.ReadAllText(Path.Combine(FolderOf(name), "config.yaml"))), Is.False, name);
        static string FolderOf(string name) => SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "admission", name);
    }

    [Test]
    public async Task Rejections_with_several_causes_are_equal_in_any_order()
    {
        var number = await _scene.AddAsync("proxyUrl: r.example");
        await _scene.WaitUntilInForceAsync();
        // An empty image is rejected.
        var pod = PodGenerator.PodOf([""]);
        pod["spec"]!["initContainers"] = new JsonArray(new JsonObject { ["name"] = "i0", ["image"] = "" });
        for (var i = 0; i < 20; i++)
        {
            var (webhook, policy) = await CreatedAsync(number, "default", pod);
            Assert.That(webhook, Does.StartWith("422").And.EqualTo(policy));
        }
    }

    [Test]
    public void Rejections_with_different_causes_differ()
    {
        Assert.That(Of("a", "b"), Is.EqualTo(Of("b", "a")));
        Assert.That(Of("a", "b"), Is.Not.EqualTo(Of("a", "c")).And.Not.EqualTo(Of("a")));
        static string Of(params string[] fields) =>
            PolicyScene.Comparable(
                (
                    HttpStatusCode.UnprocessableEntity,
                    new JsonObject
                    {
                        ["message"] = $"is invalid: [{string.Join(", ", fields)}]",
                        ["details"] = new JsonObject
                        {
                            ["causes"] = new JsonArray([.. fields.Select(field => new JsonObject { ["field"] = field })]),
                        },
                    }
                )
            );
    }

    [Test]
    public async Task Two_thousand_random_pods_with_random_rules_result_in_the_same_pod()
    {
        const int Sets = 40;
        const int Pods = 50;
        // Each policy costs every request: as few at a time as are worth the wait until they are in force.
        const int SetsAtATime = 10;
        var configurations = RuleSetGenerator.Configurations.Sample(20 * Sets, 30).Where(RuleSetGenerator.IsUsable).Take(Sets).ToList();
        Assert.That(configurations, Has.Count.EqualTo(Sets));
        var (different, pods, images, changed, rejected) = (new List<string>(), 0, 0, 0, 0);
        foreach (var chunk in configurations.Chunk(SetsAtATime))
        {
            await _scene.RemoveAllAsync();
            var numbers = new List<int>();
            foreach (var configuration in chunk)
                numbers.Add(await _scene.AddAsync(configuration));
            await _scene.WaitUntilInForceAsync();
            foreach (var (configuration, number) in chunk.Zip(numbers))
            foreach (var (@namespace, pod) in PodGenerator.Pods(configuration).Sample(Pods, 30))
            {
                var (webhook, policy) = await CreatedAsync(number, @namespace, pod);
                if (webhook != policy)
                    different.Add($"{configuration}\n  {@namespace} {pod.ToJsonString()}\n  webhook {webhook}\n  policy  {policy}");
                pods++;
                images += PodGenerator.ImagesOf(pod);
                if (!webhook.StartsWith("201", StringComparison.Ordinal))
                    rejected++;
                if (webhook.Contains("original-image.", StringComparison.Ordinal))
                    changed++;
            }
        }
        await TestContext.Out.WriteLineAsync($"{pods} Pods with {images} images: {changed} changed, {rejected} rejected by the API server");
        Assert.Multiple(() =>
        {
            Assert.That(different.Take(3), Is.Empty, $"{different.Count} of {pods} differ");
            Assert.That(pods, Is.EqualTo(Sets * Pods));
            Assert.That(changed, Is.AtLeast(pods / 4));
        });
    }

    [Test]
    public async Task Random_updates_result_in_the_same_pod()
    {
        const string Namespace = "default";
        var configurations = RuleSetGenerator.Configurations.Sample(100, 30).Where(RuleSetGenerator.IsUsable).Take(5).ToList();
        var numbers = new List<int>();
        foreach (var configuration in configurations)
            numbers.Add(await _scene.AddAsync(configuration));
        await _scene.WaitUntilInForceAsync();
        var (different, changed, count) = (new List<string>(), 0, 0);
        foreach (var (configuration, number) in configurations.Zip(numbers))
        foreach (var (_, pod) in PodGenerator.Pods(configuration).Sample(20, 30))
        {
            pod["metadata"]!["name"] = $"update-{number}-{count}";
            var (status, stored) = await _scene.CreateAsync(null, Namespace, pod);
            if (status != HttpStatusCode.Created)
                continue;
            foreach (var (subresource, updated) in PodGenerator.Updates(stored, configuration))
            {
                count++;
                var name = (string)stored["metadata"]!["name"]!;
                var webhook = PolicyScene.Comparable(await _scene.ReplaceAsync($"webhook-{number}", Namespace, name, subresource, updated));
                var policy = PolicyScene.Comparable(await _scene.ReplaceAsync($"policy-{number}", Namespace, name, subresource, updated));
                if (webhook != policy)
                    different.Add(
                        $"{configuration}\n  {stored.ToJsonString()}\n  {subresource} {updated.ToJsonString()}"
                            + $"\n  webhook {webhook}\n  policy  {policy}"
                    );
                var isChanged =
                    webhook != PolicyScene.Comparable(await _scene.ReplaceAsync("nobody", Namespace, name, subresource, updated));
                if (isChanged)
                    changed++;
            }
        }
        await TestContext.Out.WriteLineAsync($"{count} updates, {changed} of them changed");
        Assert.Multiple(() =>
        {
            Assert.That(different.Take(3), Is.Empty, $"{different.Count} of {count} differ");
            Assert.That(count, Is.AtLeast(150));
            Assert.That(changed, Is.AtLeast(count / 10));
        });
    }

    [Test]
    public async Task Groups_of_regular_expressions_match_the_same_in_CEL_and_NET()
    {
        var images = ReferenceImages();
        var (different, changed) = (new List<string>(), 0);
        var cases = new List<(string Configuration, int Number)>();
        foreach (var (pattern, replacement) in RuleSetGenerator.Regexes)
        {
            var configuration = new JsonObject
            {
                ["rules"] = new JsonArray(
                    new JsonObject
                    {
                        ["matchRegex"] = pattern,
                        ["replace"] = replacement,
                        ["allowSharedTarget"] = true,
                    }
                ),
            }.ToJsonString();
            cases.Add((configuration, await _scene.AddAsync(configuration)));
        }
        await _scene.WaitUntilInForceAsync();
        foreach (var (configuration, number) in cases)
        foreach (var chunk in images.Chunk(20))
        {
            var pod = PodGenerator.PodOf(chunk);
            var (webhook, policy) = await CreatedAsync(number, "default", pod);
            if (webhook != policy)
                different.Add($"{configuration}\n  {pod.ToJsonString()}\n  webhook {webhook}\n  policy  {policy}");
            if (webhook.Contains("original-image.", StringComparison.Ordinal))
                changed++;
        }
        await TestContext.Out.WriteLineAsync($"{cases.Count} regular expressions, {images.Count} images, {changed} Pods changed");
        Assert.That(different.Take(3), Is.Empty, $"{different.Count} Pods differ");
        Assert.That(changed, Is.AtLeast(cases.Count));
    }

    private static List<string> ReferenceImages() =>
        [
            .. Gen.OneOf(Tests.Registry.ReferenceGenerator.Canonical, Tests.Registry.ReferenceGenerator.Familiar)
                .Sample(120, 30)
                .Distinct(),
            "nginx",
            "quay.io/a/b:1",
            "ghcr.io/a.b/c-d/e_f@sha256:0123456789012345678901234567890123456789012345678901234567890123",
            "gcr.io/o/o/foo:o",
            "mcr.microsoft.com/a/b:1.2.3",
            "registry.k8s.io/pause:3.9",
            "localhost:5000/a/b/c/d:tag",
            "public.ecr.aws/a/b:1",
        ];

    /// <summary>A Pod's creation through both, at the same time.</summary>
    private async Task<(string Webhook, string Policy)> CreatedAsync(int number, string @namespace, JsonNode pod)
    {
        var responses = await Task.WhenAll(
            _scene.CreateAsync($"webhook-{number}", @namespace, pod),
            _scene.CreateAsync($"policy-{number}", @namespace, pod)
        );
        return (PolicyScene.Comparable(responses[0]), PolicyScene.Comparable(responses[1]));
    }

    private async Task<(string Webhook, string Policy)> ResponsesAsync(int number, JsonNode request)
    {
        var (@namespace, pod) = ((string)request["namespace"]!, request["object"]!);
        if ((string)request["operation"]! == "CREATE")
            return await CreatedAsync(number, @namespace, pod);
        var old = request["oldObject"]!.DeepClone();
        var name = $"golden-{number}";
        old["metadata"]!["name"] = name;
        var created = old.DeepClone();
        created["spec"]!.AsObject().Remove("ephemeralContainers");
        var (status, body) = await _scene.CreateAsync(null, @namespace, created);
        Assert.That(status, Is.EqualTo(HttpStatusCode.Created), body.ToJsonString());
        if (old["spec"]!["ephemeralContainers"] is not null)
            (status, body) = await _scene.ReplaceAsync(null, @namespace, name, "/ephemeralcontainers", old);
        Assert.That((int)status, Is.LessThan(300), body.ToJsonString());
        var updated = pod.DeepClone();
        updated["metadata"]!["name"] = name;
        var subresource = request["subResource"] is { } of ? $"/{of}" : "";
        return (
            PolicyScene.Comparable(await _scene.ReplaceAsync($"webhook-{number}", @namespace, name, subresource, updated)),
            PolicyScene.Comparable(await _scene.ReplaceAsync($"policy-{number}", @namespace, name, subresource, updated))
        );
    }
}
