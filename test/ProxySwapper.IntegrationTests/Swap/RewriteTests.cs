using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary><c>proxyswapper rewrite</c> on the command line.</summary>
[TestFixture]
internal sealed class RewriteTests
{
    private const string Manifests = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: team-a}
        spec: {template: {spec: {containers: [{name: web, image: nginx}], initContainers: [{name: init, image: quay.io/a/b:1}]}}}
        ---
        {"apiVersion": "batch/v1", "kind": "CronJob",
         "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": "busybox:1"}]}}}}}}
        """;

    [Test]
    public async Task Images_are_reported_in_order_a_line_each()
    {
        var (exitCode, output, _) = await RunAsync(null, "nginx", "quay.io/a/b:1", "r.example/library/nginx:1");
        Assert.That(
            (exitCode, output),
            Is.EqualTo(
                (
                    0,
                    """
                    nginx -> r.example/library/nginx:latest
                    quay.io/a/b:1 (unchanged: no rule matches)
                    r.example/library/nginx:1 (unchanged: already at the target of proxyUrl)

                    """
                )
            )
        );
    }

    [Test]
    public async Task Json_has_the_documented_members()
    {
        var (_, output, _) = await RunAsync(null, "-o", "json", "nginx", "gcr.io/a/b");
        var expected = JsonNode.Parse(
            """
            [{"image":"nginx","target":"r.example/library/nginx:latest","rewritten":true,"reason":"rewritten","rule":"proxyUrl"},
             {"image":"gcr.io/a/b","target":"gcr.io/a/b","rewritten":false,"reason":"noRule","rule":null}]
            """
        );
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(output), expected), Is.True, output);
    }

    [Test]
    public async Task Manifests_come_from_standard_input_or_files()
    {
        const string Expected =
            "quay.io/a/b:1 (unchanged: no rule matches)\nnginx -> "
            + "r.example/library/nginx:latest\nbusybox:1 -> r.example/library/busybox:1\n";
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Manifests);
        var fromFile = await RunAsync(null, "-f", file);
        var fromInput = await RunAsync(Manifests, "-f", "-");
        File.Delete(file);
        Assert.That((fromFile.Output, fromInput.Output), Is.EqualTo((Expected, Expected)));
    }

    [TestCase("kind: Service\nmetadata: {name: web}", 0, "(standard input): no images in Service/web\n")]
    [TestCase("text", 1, "(standard input): not read: line 4 (not a manifest)\n")]
    [TestCase(
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s}\nspec: {image: quay.io/prometheus/prometheus}",
        1,
        "(standard input): not read: Prometheus/k8s (spec.image in line 7: not in a Pod template)\n"
    )]
    public async Task What_was_not_read_is_named_and_the_exit_code_shows_it(string other, int exitCode, string error)
    {
        var manifests = $"kind: Pod\nspec: {{containers: [{{image: nginx}}]}}\n---\n{other}";
        Assert.That(await RunAsync(manifests, "-f", "-"), Is.EqualTo((exitCode, "nginx -> r.example/library/nginx:latest\n", error)));
    }

    [Test]
    public async Task An_invalid_image_is_exit_code_1() => Assert.That((await RunAsync(null, "UPPER")).ExitCode, Is.EqualTo(1));

    [
        TestCase("-f", "/nowhere.yaml"),
        TestCase("--config", "/nowhere.yaml", "nginx"),
        TestCase(),
        TestCase("-o", "xml", "nginx"),
        TestCase("--nonsense")
    ]
    public async Task Wrong_usage_is_exit_code_2(params string[] arguments)
    {
        var (exitCode, _, error) = await RunAsync(null, arguments);
        Assert.That((exitCode, error.Length > 0), Is.EqualTo((2, true)));
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(string? input, params string[] arguments) =>
        ProxySwapperProgram.RunWithInputAsync(input, ["rewrite", .. arguments], ("PROXY_URL", "r.example"));
}
