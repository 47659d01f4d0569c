using System.Diagnostics;
using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary>The time and the memory of the program that reports a large cluster, by an API server in this process.</summary>
[TestFixture, NonParallelizable]
internal sealed class LargeReportTests
{
    private const long MaximumBytes = 200 * 1024 * 1024;
    private static readonly TimeSpan MaximumTime = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Ten_thousand_pods_with_five_hundred_images_take_at_most_thirty_seconds_and_200_MB()
    {
        await using var downstream = await InMemoryRegistry.StartAsync();
        for (var image = 0; image < LargeCluster.Images; image += 2)
            TestImage.Create(900, 1, 100).AddTo(downstream, $"mirror/team/app{image}", "1");
        await using var cluster = await LargeCluster.StartAsync();
        using var folder = new TemporaryFolder();
        folder.Write("kubeconfig", cluster.Kubeconfig);
        folder.Write(
            "config.yaml",
            $$"""
            rules: [{match: docker.io, target: "{{downstream.Address}}/mirror"}]
            registries: [{host: "{{downstream.Address}}", plainHttp: true}]
            """
        );
        string[] arguments =
        [
            "report",
            "-o",
            "json",
            "--config",
            folder.PathOf("config.yaml"),
            "--kubeconfig",
            folder.PathOf("kubeconfig"),
        ];

        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(ProxySwapperProgram.StartInfo(arguments))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var peak = await PeakOfAsync(process);
        var elapsed = Stopwatch.GetElapsedTime(began);
        TestContext.Out.WriteLine($"{elapsed.TotalSeconds:0.0} s, {peak / 1024.0 / 1024:0} MiB at most");

        Assert.That(process.ExitCode, Is.Zero, await error);
        var report = JsonNode.Parse(await output)!;
        Assert.That(
            ((int)report["pods"]!, (int)report["workloads"]!, cluster.PodsRead),
            Is.EqualTo((LargeCluster.Pods, LargeCluster.Deployments, LargeCluster.Pods)),
            "everything was read, once"
        );
        var images = report["images"]!.AsArray();
        Assert.That(
            images.CountBy(image => (string)image!["state"]!),
            Is.EquivalentTo(new Dictionary<string, int> { ["downstream"] = LargeCluster.Images / 2, ["missing"] = LargeCluster.Images / 2 })
        );
        Assert.That(
            images.Sum(image => image!["workloads"]!.AsArray().Count),
            Is.EqualTo(LargeCluster.Deployments),
            "Pods are those of Deployments"
        );
        Assert.That(downstream.Count(HttpMethod.Head, InMemoryRegistryRequestKind.Manifest), Is.EqualTo(LargeCluster.Images));
        Assert.That(peak, Is.GreaterThan(0).And.LessThanOrEqualTo(MaximumBytes), "bytes");
        Assert.That(elapsed, Is.LessThan(MaximumTime));
    }

    /// <summary>
    /// The most memory of a process, which the kernel counts (<c>VmHWM</c>,
    /// <see href="https://man7.org/linux/man-pages/man5/proc_pid_status.5.html">proc_pid_status(5)</see>), read until it ends.
    /// </summary>
    private static async Task<long> PeakOfAsync(Process process)
    {
        var peak = 0L;
        var ended = process.WaitForExitAsync();
        while (!ended.IsCompleted)
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It has just been removed.
            }
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }
        return peak;
    }
}
