using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>What the program prints, applied by kubectl.</summary>
internal sealed partial class PolicyLimitsTests
{
    [Test]
    public async Task Kubectl_shows_what_the_printed_policy_does()
    {
        var yaml = await PrintedAsync($"{Wildcards(20)}  - {{match: docker.io, target: r.example}}\n");
        await _scene.Server.KubectlWithInputAsync(yaml, "apply", "-f", "-");
        const string Pod =
            """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"nginx"}]}}""";
        string[] shown = ["apply", "--dry-run=server", "-f", "-", "-o", "jsonpath={.spec.containers[0].image} {.metadata.labels}"];
        var response = "";
        await Testing.Time.TestWait.UntilAsync(
            async () =>
                (response = await _scene.Server.KubectlWithInputAsync(Pod, shown)).StartsWith("r.example/", StringComparison.Ordinal),
            "the swap by the printed policy"
        );
        Assert.That(response, Is.EqualTo("""r.example/library/nginx:latest {"k8s-proxy-image-swapper":"patched-image"}"""));
        // Sixty containers, then Pods with odd metadata.
        var large = PodGenerator.PodOf([.. Enumerable.Range(0, 60).Select(index => Image("a.r19.example", index, 110))]);
        (large["apiVersion"], large["kind"]) = ("v1", "Pod");
        shown[^1] = "jsonpath={.spec.containers[*].image}";
        response = await _scene.Server.KubectlWithInputAsync(large.ToJsonString(), shown);
        Assert.That(response.Split(' '), Has.Length.EqualTo(60).And.All.StartsWith("t.example/19/p"));
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
            response = await _scene.Server.KubectlWithInputAsync(odd.ToJsonString(), [verb, .. shown.Skip(1)]);
            Assert.That(response, Is.EqualTo("r.example/library/nginx:latest"), metadata);
        }
        var again = await _scene.Server.KubectlWithInputAsync(yaml, "apply", "-f", "-");
        Assert.That(again, Does.Not.Contain("configured"), "what is printed is what the API server keeps");
    }

    [Test]
    public async Task The_printed_binding_is_disabled_and_enabled_with_a_file_and_beside_a_webhook()
    {
        const string Bindings = "mutatingadmissionpolicybindings";
        await _scene.Server.KubectlWithInputAsync(await PrintedAsync("proxyUrl: r.example"), "apply", "-f", "-");
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

    private Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProxySwapperProgram.RunAsync([.. arguments, "--name", "printed", "--kubeconfig", _scene.Server.Kubeconfig]);

    /// <summary>What <c>proxyswapper policy --name printed</c> prints.</summary>
    private static async Task<string> PrintedAsync(string configuration)
    {
        using var folder = new TemporaryFolder();
        var file = folder.PathOf("config.yaml");
        await File.WriteAllTextAsync(file, configuration);
        var printed = await ProxySwapperProgram.RunAsync(["policy", "--config", file, "--name", "printed"]);
        Assert.That((printed.ExitCode, printed.Error), Is.EqualTo((0, "")));
        return printed.Output;
    }
}
