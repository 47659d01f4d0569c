using System.Text;
using ProxySwapper.Management;

namespace ProxySwapper.Reporting;

/// <summary>
/// A report as one self-contained HTML file: the page of <c>report.html</c> with the report's JSON in it. Its Content-Security-Policy
/// allows exactly its own script and style, and no request.
/// </summary>
internal static class HtmlReport
{
    private const string ReportPlace = "/*REPORT*/null";
    private const string ScriptPlace = "SCRIPT-HASH";
    private const string StylePlace = "STYLE-HASH";

    public static void Write(TextWriter output, ImageReport report)
    {
        using var json = new MemoryStream();
        // The writer escapes <, > and &, so that no data can terminate the script element that contains it.
        JsonReport.Write(json, report, isIndented: false);
        var page = Fill(Page(), ReportPlace, Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length));
        page = Fill(Fill(page, StylePlace, InlineHash.Of(page, "style")), ScriptPlace, InlineHash.Of(page, "script"));
        output.Write(page);
    }

    /// <summary>Replaces the first occurrence: those of the policy precede all data.</summary>
    private static string Fill(string page, string place, string text)
    {
        var start = page.IndexOf(place, StringComparison.Ordinal);
        return string.Concat(page.AsSpan(0, start), text, page.AsSpan(start + place.Length));
    }

    private static string Page()
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.html")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
