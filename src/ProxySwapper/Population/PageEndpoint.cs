using System.Security.Cryptography;
using System.Text;
using ProxySwapper.Management;

namespace ProxySwapper.Population;

/// <summary>
/// <c>GET /</c> of the management port: a status page that polls <c>/populate</c> every two seconds. Its Content-Security-Policy allows
/// exactly the page's own script and style, by their hashes, and no other request.
/// </summary>
internal sealed class PageEndpoint : IManagementPage
{
    private readonly byte[] _page;
    private readonly string _policy;

    public PageEndpoint()
    {
        using var stream = typeof(PageEndpoint).Assembly.GetManifestResourceStream("page.html")!;
        _page = new byte[stream.Length];
        stream.ReadExactly(_page);
        var text = Encoding.UTF8.GetString(_page);
        _policy =
            $"default-src 'none'; script-src '{HashOf(text, "script")}'; style-src '{HashOf(text, "style")}'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    public string Path => "/";

    public bool IsOpen => false;

    public async Task AnswerAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.BodyWriter.WriteAsync(_page, context.RequestAborted);
    }

    /// <summary>The hash of an element's content as defined in CSP Level 3, section 2.3.1.</summary>
    private static string HashOf(string page, string element)
    {
        var start = page.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        var content = page[start..page.IndexOf($"</{element}>", start, StringComparison.Ordinal)];
        return $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
    }
}
