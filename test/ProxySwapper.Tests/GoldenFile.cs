using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests;

/// <summary>Files of the source tree that results are compared with; <c>UPDATE_GOLDEN=1</c> writes the results to them.</summary>
internal static class GoldenFile
{
    /// <summary>A test case for each folder below a folder of the unit tests' testdata, named after it.</summary>
    public static IEnumerable<TestCaseData> Cases(string name) =>
        Directory
            .GetDirectories(SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", name))
            .Order(StringComparer.Ordinal)
            .Select(folder => new TestCaseData(folder).SetName($"{{m}}({Path.GetFileName(folder)})"));

    /// <summary>Compares a result with a file. An empty result stands for a file that does not exist.</summary>
    /// <param name="actual">The result.</param>
    /// <param name="path">The parts of the file's path: absolute, or relative to the root of the tree.</param>
    public static void AssertMatches(string actual, params string[] path)
    {
        var file = SourceTree.PathOf(path);
        if (SourceTree.UpdatesGolden && actual.Length > 0)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        else if (SourceTree.UpdatesGolden)
        {
            File.Delete(file);
        }
        Assert.That(
            actual,
            Is.EqualTo(File.Exists(file) ? File.ReadAllText(file) : ""),
            $"{file} is not up to date: run the tests with UPDATE_GOLDEN=1 and review the changes"
        );
    }
}
