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
        var (script, style) = (InlineHash.Of(text, "script"), InlineHash.Of(text, "style"));
        _policy =
            $"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    public string Path => "/";

    public bool IsOpen => false;

    public async Task RespondAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.BodyWriter.WriteAsync(_page, context.RequestAborted);
    }
}
