using System.Text.Json.Nodes;
using ProxySwapper.IntegrationTests.Reporting;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.IntegrationTests.Backfilling;

/// <summary><c>proxyswapper backfill</c> of a real API server with sixty workloads, between real registries.</summary>
[TestFixture, NeedsServer]
internal sealed class BackfillTests
{
    private ReportScene _scene = null!;

    [SetUp]
    public async Task StartAsync() => _scene = await ReportScene.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [Test]
    public async Task Missing_images_are_copied_most_used_first()
    {
        var missing = await MissingAsync();
        var (exitCode, output, error) = await _scene.RunAsync("backfill", "--dry-run");
        Assert.That(exitCode, Is.EqualTo(1), "one image is not valid: " + output + error);
        Assert.That(error, Does.Contain("not copied: image 'Not/AnImage' left unchanged: its repository has upper-case letters"));
        Assert.That(
            Lines(output, "would copy").Select(line => line.Split(" -> ")[1]),
            Is.EqualTo(missing),
            "what the report calls missing, in its order"
        );
        Assert.That(await MissingAsync(), Is.EqualTo(missing), "a dry run copies nothing");

        await AddPullSecretsAsync();
        (exitCode, output, error) = await _scene.RunAsync("backfill", "--parallel", "1");
        Assert.That(exitCode, Is.EqualTo(1), "some sources do not exist: " + output + error);
        string[] gone = ["agent:1", "api:2", "sidecar:1"];
        Assert.That(
            Lines(output, "failed").Select(line => line.Split(" -> ")[1].Split(": ")[0]),
            Is.EquivalentTo(gone.Select(name => $"{_scene.Target.Address}/mirror/team/{name}"))
        );
        Assert.That(Lines(output, "failed"), Has.All.Contains("not found (HTTP 404)"), "each failure has the response of the source");
        Assert.That(await MissingAsync(), Is.EquivalentTo(gone.Select(name => $"{_scene.Target.Address}/mirror/team/{name}")));
        Assert.That(
            Lines(output, "copied").Concat(Lines(output, "up to date")).Select(line => line.Split(" -> ")[1].Split(" (")[0]),
            Is.EquivalentTo(missing.Where(target => !gone.Any(name => target.EndsWith(name, StringComparison.Ordinal))))
        );
        Assert.That(
            output.Split('\n').Where(line => line.Contains(" -> ", StringComparison.Ordinal)),
            Is.EqualTo(missing).Using<string, string>((line, target) => line.Split(" -> ")[1].StartsWith(target, StringComparison.Ordinal)),
            "one after the other, in the order of the report"
        );
        // Images with two names are copied once.
        Assert.That(output, Does.Contain("\n9 copied, 1 up to date, 3 failed; "));
        Assert.That(error, Does.Contain("cannot be copied: no rule sends them downstream; see proxyswapper report"));
    }

    [Test]
    public async Task A_copy_is_identical_to_its_source()
    {
        await _scene.RunAsync("backfill", "-n", "team-a");
        var copied = await Skopeo.RunAsync(
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            $"docker://{_scene.Target.Address}/mirror/team/canary:1"
        );
        var source = await Skopeo.RunAsync(
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            $"docker://{_scene.Source.Address}/team/canary:1"
        );
        Assert.That(copied, Is.EqualTo(source).And.Not.Empty);
    }

    [Test]
    public async Task Only_what_could_not_start_without_a_registry_is_copied()
    {
        await AddPullSecretsAsync();
        var (exitCode, output, error) = await _scene.RunAsync("backfill", "--only", "missing-after", _scene.Private.Address);
        Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        Assert.That(
            Lines(output, "copied").Select(line => line.Split(" -> ")[1].Split(" (")[0]),
            Is.EquivalentTo([$"{_scene.Target.Address}/private/team/batch:1", $"{_scene.Target.Address}/private/team/report:1"])
        );
        (exitCode, output, error) = await _scene.RunAsync("backfill", "--only", "missing-after", "index.docker.io");
        Assert.That((exitCode, output), Is.EqualTo((0, "nothing to do; 0 B copied\n")));
        Assert.That(error, Is.EqualTo("3 images of docker.io cannot be copied: no rule sends them downstream; see proxyswapper report\n"));
    }

    [Test]
    public async Task Pull_secrets_that_may_not_be_read_are_reported_and_fail_their_images_alone()
    {
        await AddPullSecretsAsync();
        await _scene.Server.KubectlAsync("create", "serviceaccount", "viewer");
        await _scene.Server.KubectlAsync(
            "create",
            "clusterrolebinding",
            "viewer",
            "--clusterrole=system:aggregate-to-view",
            "--serviceaccount=default:viewer"
        );
        var token = await _scene.Server.Client.PostAsync(
            "/api/v1/namespaces/default/serviceaccounts/viewer/token",
            new JsonObject { ["spec"] = new JsonObject() },
            default
        );
        var (exitCode, output, error) = await _scene.RunAsAsync(_scene.Server.KubeconfigOf((string)token["status"]!["token"]!), "backfill");
        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain("Unknown: rollouts of example.com/v1 cannot be read: list rollouts.example.com: forbidden"));
        Assert.That(
            error,
            Does.Contain("The secrets of namespace team-a may not be read, so that its images are copied without pull secrets: get ")
        );
        Assert.That(
            Lines(output, "failed").Where(line => line.Contains("/private/", StringComparison.Ordinal)),
            Has.Exactly(2).Items.And.All.Contains("unauthorized (HTTP 401)")
        );
        // A tag and its digest are two images with the same content: the second one may find it downstream.
        Assert.That(output, Does.Contain("\n6 copied, 1 up to date, 5 failed; ").Or.Contain("\n7 copied, 5 failed; "));
    }

    /// <summary>A Secret that a Job names, and one of a ServiceAccount.</summary>
    private async Task AddPullSecretsAsync()
    {
        foreach (var @namespace in (string[])["team-a", "team-b"])
            await _scene.Server.KubectlAsync(
                "-n",
                @namespace,
                "create",
                "secret",
                "docker-registry",
                "pull",
                $"--docker-server={_scene.Private.Address}",
                "--docker-username=user",
                "--docker-password=secret"
            );
        await _scene.Server.KubectlWithInputAsync(
            """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"},"imagePullSecrets":[{"name":"pull"}]}""",
            "-n",
            "team-b",
            "create",
            "-f",
            "-"
        );
    }

    /// <summary>The targets that are missing according to the report, in its order.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync()
    {
        var (_, output, _) = await _scene.RunAsync("report", "-o", "json");
        return
        [
            .. JsonNode.Parse(output)!["images"]!
                .AsArray()
                .Where(image => (string)image!["state"]! == "missing")
                .Select(image => (string)image!["target"]!),
        ];
    }

    private static IEnumerable<string> Lines(string output, string outcome) =>
        output.Split('\n').Where(line => line.StartsWith($"{outcome, -14} ", StringComparison.Ordinal));
}
