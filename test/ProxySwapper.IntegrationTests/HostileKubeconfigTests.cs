using System.Collections.Concurrent;
using System.Text;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests;

/// <summary>A sample of kubeconfigs with one odd value for the built program; the unit tests try all of them in process.</summary>
[TestFixture]
internal sealed class HostileKubeconfigTests
{
    /// <summary>Prime, so that every key and every value occurs.</summary>
    private const int Step = 61;

    private const int Parallelism = 4;

    [Test]
    public async Task The_program_uses_them_or_says_what_is_wrong()
    {
        await using var server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { MinorVersion = 26 });
        using var folder = new TemporaryFolder();
        var wrong = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(
            HostileKubeconfigs.All(server.Address.AbsoluteUri).Index().Where(entry => entry.Index % Step == 0),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism },
            async (entry, cancellationToken) =>
            {
                var file = folder.PathOf($"{entry.Index}");
                await File.WriteAllTextAsync(file, entry.Item.Text, new UTF8Encoding(false), cancellationToken);
                var run = await ProxySwapperProgram.RunAsync(["disable", "--kubeconfig", file]);
                if (Sentences.WrongIn(run.ExitCode, run.Output + run.Error) is { } what)
                    wrong.Enqueue($"{entry.Item.Key}: {entry.Item.Value}: {what}: {run.Output}{run.Error}");
            }
        );
        Assert.That(wrong, Is.Empty, string.Join("\n", wrong));
    }
}
