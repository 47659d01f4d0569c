using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Compares a text with a file of the tree, or writes the file when <c>UPDATE_GOLDEN</c> is set.</summary>
internal static class GoldenFile
{
    public static void Matches(string actual, params string[] path)
    {
        var file = SourceTree.PathOf(path);
        if (SourceTree.UpdatesGolden)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        Assert.That(
            actual,
            Is.EqualTo(File.Exists(file) ? File.ReadAllText(file) : ""),
            $"{Path.Combine(path)} is not up to date: run the tests with UPDATE_GOLDEN=1 and look at what changed"
        );
    }
}
