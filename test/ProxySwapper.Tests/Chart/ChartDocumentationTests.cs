using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Chart;

[TestFixture]
internal sealed class ChartDocumentationTests
{
    private const string Begin = "<!-- values: made from values.yaml by the tests, with UPDATE_GOLDEN=1 -->\n";
    private const string End = "<!-- end of values -->\n";
    private const string RejectedBegin = "<!-- rejected: made from the tests' values, with UPDATE_GOLDEN=1 -->\n";
    private const string RejectedEnd = "<!-- end of rejected -->\n";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ChartValues _values = ChartValues.Read(SourceTree.PathOf("chart", "values.yaml"));

    [Test]
    public void Every_value_is_documented_by_itself_or_by_its_parent()
    {
        var documented = _values.Documented.Where(value => !_values.IsSection(value)).Select(value => value.Path).ToList();
        Assert.That(
            _values
                .All.Where(value =>
                    value.IsLeaf
                    && !documented.Any(path => value.Path == path || value.Path.StartsWith(path + ".", StringComparison.Ordinal))
                )
                .Select(value => value.Path),
            Is.Empty
        );
        Assert.That(_values.All, Has.Count.GreaterThan(100));
    }

    [Test]
    public void Every_comment_is_a_sentence() =>
        Assert.That(
            _values.Documented.Where(value => value.Comment[^1] is not ('.' or ':')).Select(value => $"{value.Path}: {value.Comment}"),
            Is.Empty
        );

    [Test]
    public void The_README_has_the_table_of_values() => HasTable(Begin, End, Table());

    /// <summary>Generated from the cases that ChartSchemaTests passes to helm.</summary>
    [Test]
    public void The_README_has_the_table_of_conflicting_values()
    {
        var table = new StringBuilder("| values | error |\n|---|---|\n");
        foreach (
            var file in Directory
                .GetFiles(SourceTree.PathOf("test", "ProxySwapper.IntegrationTests", "testdata", "chart", "rejected"))
                .Order(StringComparer.Ordinal)
        )
        {
            const string Error = "# error: ";
            var lines = File.ReadAllLines(file);
            var values = string.Join("<br>", lines.Where(line => !line.StartsWith('#')).Select(line => $"`{Escape(line)}`"));
            var error = lines.Single(line => line.StartsWith(Error, StringComparison.Ordinal))[Error.Length..];
            table.Append($"| {values} | {Escape(error)} |\n");
        }
        HasTable(RejectedBegin, RejectedEnd, table.ToString());
    }

    private static void HasTable(string beginning, string ending, string table)
    {
        var file = SourceTree.PathOf("chart", "README.md");
        var text = File.ReadAllText(file);
        var begin = text.IndexOf(beginning, StringComparison.Ordinal) + beginning.Length;
        var end = text.IndexOf(ending, StringComparison.Ordinal);
        if (SourceTree.UpdatesGolden)
            File.WriteAllText(file, text[..begin] + table + text[end..]);
        else
            Assert.That(text[begin..end], Is.EqualTo(table), "chart/README.md is not up to date: run the tests with UPDATE_GOLDEN=1");
    }

    private string Table()
    {
        var table = new StringBuilder("| value | default | what it does |\n|---|---|---|\n");
        foreach (var value in _values.Documented)
            table.Append(
                _values.IsSection(value)
                    ? $"| **`{value.Path}`** | | {Escape(value.Comment)} |\n"
                    : $"| `{value.Path}` | `{Escape(value.Default?.ToJsonString(Readable) ?? "null")}` | {Escape(value.Comment)} |\n"
            );
        return table.ToString();
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
