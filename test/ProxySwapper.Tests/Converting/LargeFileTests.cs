using System.Diagnostics;
using ProxySwapper.Converting;

namespace ProxySwapper.Tests.Converting;

/// <summary>The time of a conversion grows with the file, not with its square.</summary>
[TestFixture]
internal sealed class LargeFileTests
{
    /// <summary>Ten times what it takes, and less than half of what comparing all with all takes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Test]
    public void Many_repositories_of_one_registry_are_converted_in_time() =>
        AssertInTime($"docker.io:\n  images:\n{string.Concat(Enumerable.Range(0, 100_000).Select(number => $"    a/x{number}: [a]\n"))}");

    [Test]
    public void Many_repositories_of_one_name_are_converted_in_time() =>
        AssertInTime($"docker.io:\n  images:\n{string.Concat(Enumerable.Range(0, 100_000).Select(number => $"    a{number}/x: [a]\n"))}");

    private static void AssertInTime(string text)
    {
        var watch = Stopwatch.StartNew();
        _ = ForeignFileConverter.Convert("input.yaml", text, ForeignFormat.SkopeoSync, new ForeignTarget("r.example/x", IsScoped: true));
        Assert.That(watch.Elapsed, Is.LessThan(Limit));
    }
}
