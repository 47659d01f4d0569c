using System.Text.Json.Nodes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Swap;

/// <summary>The patches of the golden cases, applied by kubectl with the same code as in API servers.</summary>
[TestFixture, NeedsServer]
internal sealed class GoldenPatchTests
{
    [Test]
    public async Task Kubernetes_applies_every_golden_patch_and_gets_the_expected_pod()
    {
        var folders = Directory
            .GetDirectories(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "admission"))
            .Where(folder => File.Exists(Path.Combine(folder, "patch.json")))
            .ToList();
        Assert.That(folders, Has.Count.AtLeast(40));
        var kubectl = (await ControlPlane.GetAsync()).Kubectl;
        using var temporary = new TemporaryFolder();
        var faults = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForEachAsync(
            folders,
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (folder, _) =>
            {
                if (await FaultOfAsync(kubectl, folder, temporary.PathOf(Path.GetFileName(folder) + ".json")) is { } fault)
                    faults.Add($"{Path.GetFileName(folder)}: {fault}");
            }
        );
        Assert.That(faults, Is.Empty);
    }

    private static async Task<string?> FaultOfAsync(string kubectl, string folder, string file)
    {
        var pod = Named(Read(folder, "review.json")["request"]!["object"]!);
        await File.WriteAllTextAsync(file, pod.ToJsonString());
        var (exitCode, output, error) = await TestProcess.RunAsync(
            kubectl,
            [
                "patch",
                "--local",
                "--filename",
                file,
                "--type",
                "json",
                "--patch-file",
                Path.Combine(folder, "patch.json"),
                "--output",
                "json",
            ]
        );
        if (exitCode != 0)
            return error;
        return JsonNode.DeepEquals(JsonNode.Parse(output), Named(Read(folder, "expected-pod.json"))) ? null : output;
    }

    private static JsonNode Read(string folder, string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!;

    /// <summary>kubectl needs the kind of the object, which a review may not contain.</summary>
    private static JsonObject Named(JsonNode pod)
    {
        var named = pod.DeepClone().AsObject();
        named["apiVersion"] ??= "v1";
        named["kind"] ??= "Pod";
        return named;
    }
}
