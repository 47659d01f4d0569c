using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Converting;

namespace ProxySwapper.Tests.Converting;

/// <summary>
/// Runs every folder of testdata/convert: input.yaml is converted to result.yaml, or rejected with rejected.txt. command.txt is the command
/// if it is more than <c>proxyswapper convert input.yaml</c>. A new case is a new folder with input.yaml and a run with
/// UPDATE_GOLDEN=1.
/// </summary>
[TestFixture]
internal sealed class ConversionGoldenTests
{
    private static IEnumerable<TestCaseData> Cases() => GoldenFile.Cases("convert");

    [TestCaseSource(nameof(Cases))]
    public void Case(string folder)
    {
        var (result, rejections) = ("", "");
        try
        {
            result = Convert(folder).ToYaml();
        }
        catch (ConfigurationException exception)
        {
            rejections = string.Concat(exception.Faults.Select(fault => $"{fault}\n"));
        }
        GoldenFile.AssertMatches(result, folder, "result.yaml");
        GoldenFile.AssertMatches(rejections, folder, "rejected.txt");
        Assert.That(result + rejections, Does.Not.Contain("must-not-be-copied"), "secrets stay where they are");
    }

    [TestCaseSource(nameof(Cases))]
    public void A_result_is_valid(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "rejected.txt")))
            Assert.That(Convert(folder).FindMistakes(), Is.Empty);
    }

    [Test]
    public void Each_tool_has_a_case() =>
        Assert.That(
            Cases()
                .Select(folder => (string)folder.Arguments[0]!)
                .Where(folder => !File.Exists(Path.Combine(folder, "rejected.txt")))
                .Select(folder => Convert(folder).From)
                .Distinct(),
            Is.EquivalentTo(Enum.GetValues<ForeignFormat>())
        );

    private static Conversion Convert(string folder)
    {
        var command = Path.Combine(folder, "command.txt");
        var words = File.Exists(command) ? File.ReadAllText(command).Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        var target = Array.IndexOf(words, "--target") is >= 0 and var index ? words[index + 1] : null;
        return ForeignFileConverter.Convert(
            "input.yaml",
            File.ReadAllText(Path.Combine(folder, "input.yaml")),
            null,
            new ForeignTarget(target, words.Contains("--scoped"))
        );
    }
}
