using System.Text.RegularExpressions;
using ProxySwapper.Testing.Inputs;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Documentation;

/// <summary>docs/metrics.md lists exactly the instruments of the program, with their types.</summary>
[TestFixture]
internal sealed partial class MetricsPageTests
{
    [Test]
    public void Lists_each_instrument_with_its_type_and_no_other() =>
        Assert.That(
            MetricsPage.Read().Select(metric => $"{metric.Name} {metric.Type}"),
            Is.EquivalentTo(Instruments().Select(i => $"{i.Name} {i.Type}"))
        );

    [Test]
    public void Each_instrument_has_a_help_text_that_is_a_sentence_and_names_its_unit()
    {
        foreach (var (name, _, help) in Instruments())
        {
            Assert.That(help, Does.Match("^[A-Z1].{24,}[.]$"), name);
            foreach (var unit in new[] { "seconds", "bytes" })
                if (name.Split('_').Contains(unit))
                    Assert.That(help, Does.Contain(unit).IgnoreCase, name);
        }
    }

    private static IEnumerable<(string Name, string Type, string Help)> Instruments() =>
        from file in Directory.GetFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
        where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        from match in Instrument().Matches(File.ReadAllText(file))
        let kind = match.Groups["kind"].Value
        select (
            match.Groups["name"].Value,
            kind.EndsWith("Histogram", StringComparison.Ordinal) ? "histogram"
            : kind.EndsWith("Gauge", StringComparison.Ordinal) || kind.Contains("UpDown", StringComparison.Ordinal) ? "gauge"
            : "counter",
            string.Concat(match.Groups["help"].Captures.Select(part => part.Value))
        );

    /// <summary>A call that creates an instrument: its kind, its name, and its description.</summary>
    [GeneratedRegex(
        """
            \.Create(?<kind>Counter|Histogram|UpDownCounter|Gauge|ObservableGauge|ObservableCounter|ObservableUpDownCounter)(?:<\w+>)?\(\s*
            "(?<name>[a-z_]+)"(?:(?!\.Create)[^;])*?(?:description:\s*|,\s*)"(?<help>[A-Z0-9][^"]*)"(?:\s*\+\s*"(?<help>[^"]*)")*
            """,
        RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Instrument();
}
