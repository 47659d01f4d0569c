using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ProxySwapper.Testing.Registries;

/// <summary>Known faults of registries and networks.</summary>
internal static class RegistryFaults
{
    /// <summary>No fault: a request in a script that should succeed.</summary>
    public static RegistryFault None { get; } = (context, registry) => registry(context);

    /// <summary>Responds with this status and a registry error.</summary>
    public static RegistryFault Status(
        int status,
        string code = "UNKNOWN",
        string message = "of a test",
        params (string Name, string Value)[] headers
    ) =>
        async (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            foreach (var (name, value) in headers)
                context.Response.Headers.Append(name, value);
            if (context.Request.Method != "HEAD")
                await context.Response.WriteAsync($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""");
        };

    /// <summary>429, with or without Retry-After in seconds or as a date.</summary>
    public static RegistryFault TooManyRequests(string? retryAfter = null) =>
        Status(429, "TOOMANYREQUESTS", "slow down", retryAfter is null ? [] : [("Retry-After", retryAfter)]);

    /// <summary>503.</summary>
    public static RegistryFault Unavailable { get; } = Status(503, "UNAVAILABLE", "come back later");

    /// <summary>200 with a web page, as a proxy sends for a host under maintenance.</summary>
    public static RegistryFault WebPage { get; } = Content("text/html", "<html>maintenance");

    /// <summary>200 with this content.</summary>
    public static RegistryFault Content(string contentType, string body) =>
        async (context, _) =>
        {
            context.Response.ContentType = contentType;
            await context.Response.WriteAsync(body);
        };

    /// <summary>Closes the connection without a response, as ECR does for an upload to a missing repository.</summary>
    public static RegistryFault Dropped { get; } =
        (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

    /// <summary>Closes the connection after this much of the response body.</summary>
    public static RegistryFault CutResponse(long after) => Respond((body, _) => new CutStream(body, after));

    /// <summary>Closes the connection after reading this much of the request body.</summary>
    public static RegistryFault CutRequest(long after) =>
        async (context, registry) =>
        {
            var buffer = new byte[64 * 1024];
            for (var left = after; left > 0; )
            {
                var read = await context.Request.Body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)));
                if (read == 0)
                    break;
                left -= read;
            }
            context.Abort();
            _ = registry;
        };

    /// <summary>The request is processed but its response is lost.</summary>
    public static RegistryFault LostResponse { get; } =
        async (context, registry) =>
        {
            var features = context.Features.Get<IHttpResponseBodyFeature>()!;
            context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
            await registry(context);
            context.Features.Set(features);
            context.Abort();
        };

    /// <summary>Flips a bit in the middle of the response body.</summary>
    public static RegistryFault WrongContent { get; } =
        Respond((body, context) => new FlippedStream(body, (context.Response.ContentLength ?? 2) / 2));

    /// <summary>The body lacks one byte, and the header agrees.</summary>
    public static RegistryFault Shorter { get; } = Buffered((context, body) => body[..^1]);

    /// <summary>The body has an extra byte, and the header agrees.</summary>
    public static RegistryFault Longer { get; } = Buffered((context, body) => [.. body, (byte)'x']);

    /// <summary>No <c>Content-Length</c>: the body comes in chunks.</summary>
    public static RegistryFault NoContentLength { get; } = OnHeaders(response => response.ContentLength = null);

    /// <summary>A wrong <c>Docker-Content-Digest</c>.</summary>
    public static RegistryFault WrongDigestHeader { get; } = Header("Docker-Content-Digest", "sha256:" + new string('a', 64));

    /// <summary>No <c>Docker-Content-Digest</c>.</summary>
    public static RegistryFault NoDigestHeader { get; } = Header("Docker-Content-Digest", null);

    /// <summary>Sets or removes a header of the registry's response.</summary>
    public static RegistryFault Header(string name, string? value) =>
        OnHeaders(response =>
        {
            if (value is null)
                response.Headers.Remove(name);
            else
                response.Headers[name] = value;
        });

    /// <summary>The registry's relative <c>Location</c> becomes absolute, with an additional query.</summary>
    public static RegistryFault AbsoluteLocation { get; } =
        OnHeaders(response =>
        {
            if (response.Headers.Location.ToString() is { Length: > 0 } location && location.StartsWith('/'))
                response.Headers.Location =
                    $"{response.HttpContext.Request.Scheme}://{response.HttpContext.Request.Host}{location}?_state=a%2Fb%3D";
        });

    /// <summary>Redirects.</summary>
    public static RegistryFault Redirect(string target, int status = 307) =>
        (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = target;
            return Task.CompletedTask;
        };

    /// <summary>Redirects to the same path and query at another origin, such as <c>http://localhost:1234</c>.</summary>
    public static RegistryFault RedirectToOrigin(string origin, int status = 307) =>
        (context, registry) => Redirect(origin + context.Request.Path + context.Request.QueryString, status)(context, registry);

    /// <summary>
    /// Sends the body in pieces of this size, each when <paramref name="next"/> completes; if it never does, the body stalls.
    /// </summary>
    public static RegistryFault Drip(int size, Func<CancellationToken, Task> next) =>
        Respond((body, context) => new DripStream(body, size, () => next(context.RequestAborted)));

    /// <summary>The upload session no longer exists.</summary>
    public static RegistryFault LostSession { get; } = LostSessionAs(404);

    /// <summary>The upload session no longer exists, reported with a status other than 404.</summary>
    public static RegistryFault LostSessionAs(int status) =>
        async (context, registry) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await Status(status, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")(context, registry);
        };

    /// <summary>The mount is declined and an upload offered instead.</summary>
    public static RegistryFault RejectedMount { get; } =
        (context, registry) =>
        {
            context.Request.QueryString = QueryString.Empty;
            return registry(context);
        };

    /// <summary>Ignores <c>Range</c> and sends the whole content.</summary>
    public static RegistryFault NoRanges { get; } =
        (context, registry) =>
        {
            context.Request.Headers.Remove("Range");
            return registry(context);
        };

    /// <summary>Does something during the request, such as moving a tag, and continues.</summary>
    public static RegistryFault Meanwhile(Action action) =>
        (context, registry) =>
        {
            action();
            return registry(context);
        };

    /// <summary>Never responds; the action runs when a request has arrived.</summary>
    public static RegistryFault NoResponse(Action? arrived = null) =>
        (context, _) =>
        {
            arrived?.Invoke();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };

    /// <summary>A proxy that limits the body size.</summary>
    public static RegistryFault BodyLimit(long limit) =>
        (context, registry) =>
            context.Request.ContentLength > limit
                ? Status(413, "SIZE_INVALID", "request entity too large")(context, registry)
                : registry(context);

    /// <summary>ECR responds to a PATCH with 201.</summary>
    public static RegistryFault PatchCreated { get; } =
        OnHeaders(response => response.StatusCode = response.StatusCode == 202 ? 201 : response.StatusCode);

    private static RegistryFault OnHeaders(Action<HttpResponse> change) =>
        (context, registry) =>
        {
            context.Response.OnStarting(() =>
            {
                change(context.Response);
                return Task.CompletedTask;
            });
            return registry(context);
        };

    private static RegistryFault Buffered(Func<HttpContext, byte[], byte[]> change) =>
        async (context, registry) =>
        {
            var original = context.Response.Body;
            using var body = new MemoryStream();
            context.Response.Body = body;
            await registry(context);
            context.Response.Body = original;
            var changed = context.Request.Method == "HEAD" ? [] : change(context, body.ToArray());
            if (context.Request.Method != "HEAD")
                context.Response.ContentLength = changed.Length;
            await context.Response.Body.WriteAsync(changed);
        };

    private static RegistryFault Respond(Func<Stream, HttpContext, Stream> body) =>
        async (context, registry) =>
        {
            var original = context.Response.Body;
            context.Response.Body = body(original, context);
            try
            {
                await registry(context);
                await context.Response.Body.FlushAsync();
            }
            catch (IOException)
            {
                context.Abort();
            }
            finally
            {
                context.Response.Body = original;
            }
        };
}
