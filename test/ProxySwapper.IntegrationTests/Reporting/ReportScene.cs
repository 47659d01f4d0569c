using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Tests;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary>
/// A separate cluster with the sixty workloads of <c>testdata/report</c>, two registries of their images, and a downstream registry.
/// </summary>
internal sealed class ReportScene : IAsyncDisposable
{
    /// <summary>Names as long as the addresses they stand for, so that columns keep their width.</summary>
    private const string SourceName = "upstream.x:5000";
    private const string PrivateName = "internal.x:5000";
    private const string TargetName = "registry.x:5000";

    private static readonly string Folder = SourceTree.PathOf("test", "ProxySwapper.IntegrationTests", "testdata", "report");

    private ReportScene(
        KubeApiServer server,
        DebianRegistry source,
        DebianRegistry locked,
        DebianRegistry target,
        string digest,
        string folder
    ) => (Server, Source, Private, Target, Digest, Files) = (server, source, locked, target, digest, folder);

    public KubeApiServer Server { get; }

    public DebianRegistry Source { get; }

    /// <summary>Requires <c>user</c> and <c>secret</c>.</summary>
    public DebianRegistry Private { get; }

    public DebianRegistry Target { get; }

    /// <summary>The digest that one workload's image has.</summary>
    public string Digest { get; }

    /// <summary>A folder with <c>config.yaml</c> and <c>workloads.yaml</c>, with the addresses filled in.</summary>
    public string Files { get; }

    public string ConfigurationFile => Path.Combine(Files, "config.yaml");

    public static async Task<ReportScene> StartAsync()
    {
        NeedsServerAttribute.Require("kube-apiserver");
        // In the order of their names here, so that images are sorted the same in each run.
        int[] ports = [.. Enumerable.Range(0, 3).Select(_ => TestProcess.FreePort()).Order()];
        var (server, target) = (KubeApiServer.StartAsync(), DebianRegistry.StartAsync(ports[1]));
        var locked = DebianRegistry.StartWithPasswordAsync("user", "secret", ports[0]);
        var source = DebianRegistry.StartAsync(ports[2]);
        var pinned = TestImage.Create(7);
        var scene = new ReportScene(
            await server,
            await source,
            await locked,
            await target,
            pinned.Top.Digest.ToString(),
            Directory.CreateTempSubdirectory("report-").FullName
        );
        await scene.PushAsync(pinned);
        foreach (var file in (string[])["config.yaml", "workloads.yaml"])
            await File.WriteAllTextAsync(
                Path.Combine(scene.Files, file),
                scene.Fill(await File.ReadAllTextAsync(Path.Combine(Folder, file)))
            );
        await scene.Server.KubectlAsync("create", "-f", Path.Combine(Folder, "cluster.yaml"));
        await scene.Server.KubectlAsync("wait", "--for=condition=established", "crd/rollouts.example.com", "crd/settings.example.com");
        await scene.Server.KubectlAsync("create", "-f", Path.Combine(scene.Files, "workloads.yaml"));
        await scene.Server.KubectlAsync("create", "-f", Path.Combine(Folder, "webhook.yaml"));
        return scene;
    }

    /// <summary>Runs the program as an administrator of the cluster.</summary>
    public Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunAsAsync(Server.Kubeconfig, arguments);

    /// <summary>Runs the program as another user.</summary>
    public Task<(int ExitCode, string Output, string Error)> RunAsAsync(string kubeconfig, params string[] arguments) =>
        ProxySwapperProgram.RunAsync([.. arguments, "--config", ConfigurationFile, "--kubeconfig", kubeconfig]);

    /// <summary>The output, with names in place of this run's addresses.</summary>
    public string Named(string text) =>
        text.Replace(Source.Address, SourceName, StringComparison.Ordinal)
            .Replace(Private.Address, PrivateName, StringComparison.Ordinal)
            .Replace(Target.Address, TargetName, StringComparison.Ordinal);

    /// <summary>Compares with a file in <c>testdata/report</c>, which <c>UPDATE_GOLDEN=1</c> writes.</summary>
    public void AssertGolden(string file, string actual) =>
        GoldenFile.AssertMatches(Named(actual), "test", "ProxySwapper.IntegrationTests", "testdata", "report", file);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Source.DisposeAsync();
        await Private.DisposeAsync();
        await Target.DisposeAsync();
        Directory.Delete(Files, recursive: true);
    }

    private string Fill(string text) =>
        text.Replace("SOURCE", Source.Address, StringComparison.Ordinal)
            .Replace("PRIVATE", Private.Address, StringComparison.Ordinal)
            .Replace("TARGET", Target.Address, StringComparison.Ordinal)
            .Replace("DIGEST", Digest, StringComparison.Ordinal);

    /// <summary>Some images are downstream, one with other content; the others are missing.</summary>
    private async Task PushAsync(TestImage pinned)
    {
        var seed = 100;
        foreach (
            var name in (string[])["web:1", "gone:1", "gone:2", "late:1", "init:1", "db:14", "batch:1", "canary:1", "tool:1", "operated:1"]
        )
        {
            var (repository, tag) = (name.Split(':')[0], name.Split(':')[1]);
            var image = TestImage.Create(seed++);
            await image.PushAsync(Source.Address, $"team/{repository}", tag);
            if (repository is "web" or "init" or "db" or "tool")
                await image.PushAsync(Target.Address, $"mirror/team/{repository}", tag);
        }
        await pinned.PushAsync(Source.Address, "team/cache", "7");
        await TestImage.Create(1).PushAsync(Source.Address, "team/moved", "1");
        await TestImage.Create(2).PushAsync(Target.Address, "mirror/team/moved", "1");
        await TestImage.Create(3).PushAsync(Private.Address, "team/batch", "1", "user", "secret");
        await TestImage.Create(4).PushAsync(Private.Address, "team/report", "1", "user", "secret");
    }
}
