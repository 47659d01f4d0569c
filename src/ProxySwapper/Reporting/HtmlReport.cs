using System.Text;

namespace ProxySwapper.Reporting;

/// <summary>A report as one self-contained HTML file: the page of <c>report.html</c> with the report's JSON in it.</summary>
internal static class HtmlReport
{
    private const string Placeholder = "/*REPORT*/null";

    public static void Write(TextWriter output, ImageReport report)
    {
        using var json = new MemoryStream();
        // The writer escapes <, > and &, so that no data can terminate the script element that contains it.
        JsonReport.Write(json, report, isIndented: false);
        var page = Page();
        var place = page.IndexOf(Placeholder, StringComparison.Ordinal);
        output.Write(page.AsSpan(0, place));
        output.Write(Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length));
        output.Write(page.AsSpan(place + Placeholder.Length));
    }

    private static string Page()
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.html")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
