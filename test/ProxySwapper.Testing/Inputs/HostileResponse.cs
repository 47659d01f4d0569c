using System.Globalization;
using System.Text;

namespace ProxySwapper.Testing.Inputs;

/// <summary>One response of a <see cref="HostileServer"/>.</summary>
internal sealed class HostileResponse
{
    private static readonly string[] Statuses =
    [
        "200 OK",
        "200 OK",
        "200 OK",
        "200 OK",
        "201 Created",
        "202 Accepted",
        "204 No Content",
        "206 Partial Content",
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "400 Bad Request",
        "401 Unauthorized",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "409 Conflict",
        "410 Gone",
        "413 Too Large",
        "416 Range",
        "422 Unprocessable",
        "429 Too Many Requests",
        "500 Oops",
        "501 Not Implemented",
        "503 Unavailable",
        "999 Unknown",
        "000 None",
        "99999",
        "abc",
        "",
    ];

    private static readonly string[] Names =
    [
        "Location",
        "Link",
        "WWW-Authenticate",
        "Docker-Content-Digest",
        "Content-Type",
        "Content-Range",
        "Range",
        "Retry-After",
        "OCI-Chunk-Min-Length",
        "OCI-Subject",
        "OCI-Filters-Applied",
        "Docker-Upload-UUID",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "Warning",
        "Content-Encoding",
        "Set-Cookie",
        "Connection",
        "Date",
        "X",
    ];

    private static readonly string[] Values =
    [
        "",
        "0",
        "-1",
        "99999999999999999999",
        "1e999",
        "NaN",
        "100;w=21600",
        ";w=x",
        "0-",
        "0-0",
        "5-1",
        "bytes 0-0/1",
        "bytes */*",
        "bytes 9999999999999999999-0/x",
        "/v2/team/app/blobs/uploads/1",
        "http://SERVER/v2/team/app/blobs/uploads/2?x=1",
        "//SERVER/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://[::1",
        "javascript:x",
        "</v2/team/app/tags/list?n=1&last=a>; rel=\"next\"",
        "<http://evil.example/v2/>; rel=next",
        "<",
        ">;rel=",
        "Bearer realm=\"http://SERVER/token\",service=\"s\",scope=\"repository:team/app:pull\"",
        "Bearer realm=\"http://SERVER/token",
        "Bearer realm=\"https://169.254.169.254/token\"",
        "Bearer realm=x, realm=y",
        "Bearer",
        "Basic realm=\"x\"",
        "Basic, Bearer realm=\"http://SERVER/token\", Digest",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:E3B0",
        "sha512:00",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/json; charset=\"utf-99\"",
        "text/html; charset=",
        "a/b/c;;;=",
        "gzip",
        "br, gzip",
        "close",
        "upgrade",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "299 - \"deprecated",
        "299 - \"a \\\" b\"",
        "\u00e4\u00f6\u00ff",
        "a\tb",
        "a\u0001b",
    ];

    /// <param name="random">Decides everything.</param>
    /// <param name="bodies">Plausible bodies.</param>
    /// <param name="address">The server's address.</param>
    /// <param name="isHead">Whether no body may follow.</param>
    public HostileResponse(Random random, IReadOnlyList<string> bodies, string address, bool isHead)
    {
        var status = Statuses[random.Next(Statuses.Length)];
        var body = BodyOf(random, bodies);
        IsEndless = !isHead && random.Next(200) == 0;
        var head = new StringBuilder($"HTTP/1.1 {status}\r\n");
        for (var count = random.Next(0, 6); count > 0; count--)
        {
            var value = Values[random.Next(Values.Length)].Replace("SERVER", address, StringComparison.Ordinal);
            head.Append(CultureInfo.InvariantCulture, $"{Names[random.Next(Names.Length)]}: {value}\r\n");
        }
        if (random.Next(100) == 0)
            head.Append(CultureInfo.InvariantCulture, $"X-Long: {new string('x', random.Next(1, 100_000))}\r\n");
        if (random.Next(2) == 0)
            head.Append("Content-Type: application/vnd.oci.image.manifest.v1+json\r\n");
        var length = random.Next(12);
        IsWhole = length > 3 && !IsEndless;
        if (IsEndless)
            head.Append(random.Next(2) == 0 ? "" : "Content-Length: 9000000000\r\n");
        else if (length == 0)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length + random.Next(1, 1_000_000)}\r\n");
        else if (length == 1)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {Values[random.Next(5)]}\r\n");
        else if (length == 2)
            (head, body) = (head.Append("Transfer-Encoding: chunked\r\n"), Chunked(random, body));
        else if (length > 3)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        Head = head.Append("\r\n").ToString();
        Body = isHead ? [] : body;
    }

    public string Head { get; }

    public byte[] Body { get; }

    /// <summary>Whether the body continues for as long as it is read.</summary>
    public bool IsEndless { get; }

    /// <summary>Whether the connection can be used again.</summary>
    public bool IsWhole { get; }

    /// <summary>Not HTTP at all.</summary>
    public static string Garbage(Random random) =>
        random.Next(4) switch
        {
            0 => "HTTP/9.9 200 OK\r\n\r\n",
            1 => "SSH-2.0-OpenSSH\r\n",
            2 => "HTTP/1.1 200 OK\r\nbroken header\r\n: x\r\n\r\n",
            _ => new string((char)random.Next(1, 256), random.Next(1, 5000)),
        };

    private static byte[] BodyOf(Random random, IReadOnlyList<string> bodies)
    {
        var text = new StringBuilder(random.Next(10) == 0 ? "" : bodies[random.Next(bodies.Count)]);
        if (random.Next(3) > 0)
            for (var change = random.Next(1, 4); change > 0; change--)
                JsonDamage.Apply(text, random);
        if (random.Next(50) == 0)
            text.Insert(0, new string('[', random.Next(1, 100_000)));
        if (random.Next(50) == 0)
            text.Append(' ', random.Next(1, 6_000_000));
        var bytes = random.Next(2) == 0 ? Encoding.UTF8.GetBytes(text.ToString()) : Encoding.Latin1.GetBytes(text.ToString());
        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
    }

    private static byte[] Chunked(Random random, byte[] body)
    {
        var size = random.Next(4) switch
        {
            0 => "ffffffffffffffff",
            1 => "-1",
            2 => body.Length.ToString("x", CultureInfo.InvariantCulture),
            _ => "xyz",
        };
        return [.. Encoding.ASCII.GetBytes($"{size}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8];
    }
}
