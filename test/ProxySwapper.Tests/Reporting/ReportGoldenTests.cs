using System.Text;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Reporting;

/// <summary>
/// Reports of manifests: <c>testdata/report/CASE</c> has a configuration, manifests, and the report as text and as JSON.
/// <c>UPDATE_GOLDEN=1</c> updates the reports.
/// </summary>
[TestFixture]
internal sealed class ReportGoldenTests
{
    private static readonly string Folder = SourceTree.PathOf("test", "ProxySwapper.Tests", "testdata", "report");

    private static IEnumerable<string> Cases => Directory.EnumerateDirectories(Folder).Select(path => Path.GetFileName(path)!);

    [TestCaseSource(nameof(Cases))]
    public void Text_is_as_written(string name)
    {
        using var text = new StringWriter { NewLine = "\n" };
        TextReport.Write(text, ReportOf(name));
        GoldenFile.AssertMatches(text.ToString(), Folder, name, "report.txt");
        Assert.That(text.ToString().Split('\n'), Has.All.Length.LessThanOrEqualTo(120));
    }

    [TestCaseSource(nameof(Cases))]
    public void Json_is_as_written(string name)
    {
        using var json = new MemoryStream();
        JsonReport.Write(json, ReportOf(name), isIndented: true);
        GoldenFile.AssertMatches(Encoding.UTF8.GetString(json.ToArray()) + "\n", Folder, name, "report.json");
    }

    private static ImageReport ReportOf(string name)
    {
        var options = ConfigurationReader.Read(Path.Combine(Folder, name, "config.yaml"), EnvironmentVariables.None);
        var problems = new ReportProblems();
        var manifests = new ManifestScan([Path.Combine(Folder, name, "manifests.yaml")], null, problems);
        var builder = new ReportBuilder(RuleSet.Compile(options), manifests.Read("webhook", options.AdmissionPolicy));
        manifests.AddTo(builder);
        return ImageReport.Create(builder, problems);
    }
}
