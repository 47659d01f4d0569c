using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary><c>proxyswapper report</c> on a real API server with sixty workloads of every kind, and real registries.</summary>
[TestFixture, NeedsServer]
internal sealed class ClusterReportTests
{
    /// <summary>The rules of <c>view</c>, which a controller aggregates that this control plane does not have.</summary>
    private const string View = "system:aggregate-to-view";

    private ReportScene _scene = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _scene = await ReportScene.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _scene.DisposeAsync();

    [Test]
    public async Task Text_of_sixty_workloads_is_as_written_and_fits_120_columns()
    {
        var (exitCode, output, error) = await _scene.RunAsync("report", "--digests");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        _scene.AssertGolden("report.txt", output);
        Assert.That(output.Split('\n'), Has.All.Length.LessThanOrEqualTo(120));
    }

    /// <summary>As the chart installs it: the release's ConfigMap is found by the webhook's name.</summary>
    [Test]
    public async Task Without_a_configuration_that_of_the_release_in_the_cluster_decides()
    {
        string[] cluster = ["--kubeconfig", _scene.Server.Kubeconfig];
        foreach (var command in (string[])["report", "backfill"])
        {
            var (code, _, fault) = await ProxySwapperProgram.RunAsync([command, "--webhook-name", "nobody", .. cluster]);
            Assert.That((code, fault), Is.EqualTo((2, $"{MissingRelease}\n")), command);
        }
        var labels = new JsonObject { ["proxyswapper.io/webhook"] = "k8s-proxy-image-swapper-webhook" };
        var configuration = await File.ReadAllTextAsync(_scene.ConfigurationFile);
        await _scene.Server.Client.PostAsync(
            "/api/v1/namespaces/legacy/configmaps",
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "proxyswapper", ["labels"] = labels },
                ["data"] = new JsonObject { ["config.yaml"] = configuration },
            },
            default
        );
        var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["report", "--digests", .. cluster]);
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        _scene.AssertGolden("report.txt", output);

        (exitCode, var planned, error) = await ProxySwapperProgram.RunAsync(["backfill", "--dry-run", .. cluster]);
        Assert.That(exitCode, Is.EqualTo(1), error);
        Assert.That(error, Does.Contain("not copied: image 'Not/AnImage' left unchanged"));
        Assert.That(planned, Is.EqualTo((await _scene.RunAsync("backfill", "--dry-run")).Output).And.Contain("would copy"));
    }

    private const string MissingRelease =
        "(no configuration): no ConfigMap of a release found in the cluster; use --config FILE or set PROXY_URL";

    [Test]
    public async Task Json_of_sixty_workloads_is_as_written()
    {
        var (exitCode, output, error) = await _scene.RunAsync("report", "--digests", "-o", "json");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        _scene.AssertGolden("report.json", output);
    }

    [Test]
    public async Task One_namespace_is_reported_alone()
    {
        var (_, output, _) = await _scene.RunAsync("report", "-n", "team-b", "-o", "json", "--no-check");
        var workloads = JsonNode.Parse(output)!["images"]!.AsArray().SelectMany(image => image!["workloads"]!.AsArray());
        Assert.That(workloads.Select(workload => (string)workload!), Is.Not.Empty.And.All.StartsWith("team-b/"));
    }

    [TestCase("missing", ExpectedResult = 1)]
    [TestCase("unswapped", ExpectedResult = 1)]
    public async Task<int> A_state_in_fail_on_ends_with_1(string state) =>
        (await _scene.RunAsync("report", "-n", "team-b", "--fail-on", state)).ExitCode;

    [TestCase("k8s-proxy-image-swapper-webhook", ExpectedResult = 0)]
    [TestCase("removed", ExpectedResult = 1)]
    public async Task<int> Without_a_webhook_every_image_is_unswapped(string name) =>
        (await _scene.RunAsync("report", "-n", "default", "--fail-on", "unswapped", "--webhook-name", name)).ExitCode;

    [Test]
    public async Task What_could_not_be_seen_is_not_called_complete()
    {
        foreach (
            var arguments in (string[][])
                [
                    ["report", "--fail-on", "missing", "-n", "mistyped"],
                    ["backfill", "-n", "mistyped"],
                ]
        )
        {
            var (exitCode, output, error) = await _scene.RunAsync(arguments);
            Assert.That(exitCode, Is.EqualTo(1));
            Assert.That(output + error, Does.Contain("Unknown: Namespace mistyped not found.\n"));
        }
    }

    [Test]
    public async Task A_state_that_does_not_occur_ends_with_0()
    {
        var manifest = $$"""{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"{{_scene.Source.Address}}/team/web:1"}]} }""";
        var (exitCode, output, error) = await RunOnAsync(manifest);
        Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        Assert.That(output, Does.StartWith("1 image in 1 workload and 0 Pods: 1 downstream, 0 missing, 0 not swapped."));
    }

    [Test]
    public async Task Manifests_of_a_pipe_are_reported_like_a_cluster()
    {
        var manifests = await File.ReadAllTextAsync(Path.Combine(_scene.Files, "workloads.yaml"));
        var (exitCode, output, error) = await RunOnAsync(manifests);
        Assert.That((exitCode, error), Is.EqualTo((1, "")));
        _scene.AssertGolden("manifests.txt", output);
    }

    [Test]
    public async Task An_account_with_the_role_view_gets_a_list_of_what_it_may_not_read()
    {
        var account = await AccountAsync("viewer", "clusterrolebinding", $"--clusterrole={View}");
        var (exitCode, output, error) = await _scene.RunAsAsync(account, "report", "-o", "json");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        var report = JsonNode.Parse(output)!;
        Assert.That(
            report["problems"]!.AsArray().Select(problem => ((string)problem!).Split(": User")[0]),
            Is.EquivalentTo([
                "rollouts of example.com/v1 cannot be read: list rollouts.example.com: forbidden (HTTP 403): rollouts.example.com is "
                    + "forbidden",
                "settings of example.com/v1 cannot be read: list settings.example.com: forbidden (HTTP 403): settings.example.com is "
                    + "forbidden",
                "Image sizes are unknown: list nodes: forbidden (HTTP 403): nodes is forbidden",
            ])
        );
        Assert.That(
            report["assumptions"]!.AsArray().Select(assumption => ((string)assumption!).Split(": User")[0]),
            Is.EqualTo([
                "Only namespace kube-system and namespaces with the label proxyswapper.io/ignore=true are excluded, as by the chart's "
                    + "defaults, since the selectors of 'k8s-proxy-image-swapper-webhook' cannot be read: get "
                    + "mutatingwebhookconfigurations.admissionregistration.k8s.io k8s-proxy-image-swapper-webhook: forbidden (HTTP 403): "
                    + "mutatingwebhookconfigurations.admissionregistration.k8s.io \"k8s-proxy-image-swapper-webhook\" is forbidden",
            ])
        );
        Assert.That((bool)report["complete"]!, Is.False, "an older API server's schemas do not show that settings have no template");
        var whole = JsonNode.Parse((await _scene.RunAsync("report", "-o", "json")).Output)!;
        Assert.That(
            report["images"]!.AsArray().Select(image => (string)image!["image"]!).Distinct(),
            Is.EquivalentTo(
                whole["images"]!
                    .AsArray()
                    .Where(image =>
                        image!["workloads"]!.AsArray().Any(name => !((string)name!).Contains("/Rollout/", StringComparison.Ordinal))
                    )
                    .Select(image => (string)image!["image"]!)
                    .Distinct()
            ),
            "all but what the custom kind alone names"
        );
    }

    [Test]
    public async Task An_account_of_one_namespace_gets_a_report_of_it()
    {
        var account = await AccountAsync("local", "rolebinding", $"--clusterrole={View}", "--namespace=team-a");
        var (exitCode, output, error) = await _scene.RunAsAsync(account, "report", "-n", "team-a");
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("Unknown: Image sizes are unknown: list nodes: forbidden").And.Not.Contain("amespaces excluded"));
        Assert.That(output, Does.Contain($"{_scene.Source.Address}/team/db:14"));
    }

    [TestCase("text")]
    [TestCase("json")]
    public async Task An_account_without_permissions_gets_a_failure_instead_of_an_empty_report(string format)
    {
        await _scene.Server.KubectlAsync("create", "serviceaccount", $"nobody-{format}");
        var kubeconfig = _scene.Server.KubeconfigOf(await TokenAsync($"nobody-{format}"));
        var (exitCode, output, error) = await _scene.RunAsAsync(kubeconfig, "report", "-o", format, "--fail-on", "missing");
        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.Contain("forbidden (HTTP 403)"));
    }

    [Test]
    public async Task A_server_that_does_not_respond_fails_the_report()
    {
        var file = Path.Combine(_scene.Files, "nowhere");
        await File.WriteAllTextAsync(
            file,
            (await File.ReadAllTextAsync(_scene.Server.Kubeconfig)).Replace(
                $":{_scene.Server.Address.Port}",
                $":{TestProcess.FreePort()}",
                StringComparison.Ordinal
            )
        );
        var (exitCode, output, error) = await _scene.RunAsAsync(file, "report", "--fail-on", "missing");
        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith("GET /api/v1: no response: "));
    }

    [Test]
    public async Task Kubectl_runs_it_as_a_plugin_with_its_own_kubeconfig()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.PathOf("kubectl-proxyswapper"), ProxySwapperProgram.File);
        var (exitCode, output, error) = await TestProcess.RunAsync(
            _scene.Server.Kubectl,
            ["proxyswapper", "report", "--digests", "--config", _scene.ConfigurationFile],
            new Dictionary<string, string>
            {
                ["KUBECONFIG"] = _scene.Server.Kubeconfig,
                ["PATH"] = $"{folder.PathOf("")}:{Environment.GetEnvironmentVariable("PATH")}",
            }
        );
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        _scene.AssertGolden("report.txt", output);
    }

    [Test]
    public async Task Progress_is_one_line_of_a_terminal()
    {
        var (file, arguments) = ProxySwapperProgram.CommandOf([
            "report",
            "--config",
            _scene.ConfigurationFile,
            "--kubeconfig",
            _scene.Server.Kubeconfig,
        ]);
        var command = string.Join(' ', arguments.Prepend(file));
        var (exitCode, output, _) = await TestProcess.RunAsync(
            "script",
            ["--quiet", "--return", "--command", $"{command} > /dev/null", "/dev/null"],
            new Dictionary<string, string> { ["TERM"] = "xterm" }
        );
        Assert.That(exitCode, Is.Zero, output);
        // One line in 100 ms is shown, and the whole report may take less: what the line counts, other tests see.
        Assert.That(output, Does.Match(@"\r(reading [a-z]+|checked \d+ of \d+ images)").And.Not.Contain("\n"));
        Assert.That(output, Does.Match(@"\r +\r[^\ra-z]*$"), "nothing is left of it");
    }

    /// <returns>A kubeconfig of a new ServiceAccount with one binding.</returns>
    private async Task<string> AccountAsync(string name, string binding, params string[] arguments)
    {
        await _scene.Server.KubectlAsync("create", "serviceaccount", name);
        await _scene.Server.KubectlAsync(["create", binding, name, $"--serviceaccount=default:{name}", .. arguments]);
        return _scene.Server.KubeconfigOf(await TokenAsync(name));
    }

    private async Task<string> TokenAsync(string account)
    {
        var token = await _scene.Server.Client.PostAsync(
            $"/api/v1/namespaces/default/serviceaccounts/{account}/token",
            new JsonObject { ["spec"] = new JsonObject() },
            default
        );
        return (string)token["status"]!["token"]!;
    }

    private Task<(int ExitCode, string Output, string Error)> RunOnAsync(string manifests) =>
        ProxySwapperProgram.RunWithInputAsync(
            manifests,
            ["report", "--config", _scene.ConfigurationFile, "-f", "-", "--fail-on", "missing"]
        );
}
