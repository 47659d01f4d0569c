using System.Globalization;

namespace ProxySwapper.Registry.InMemory;

/// <summary>The uploads of an <see cref="InMemoryRegistry"/>: in one piece, in chunks, by mounting.</summary>
internal sealed class InMemoryRegistryUploads(InMemoryRegistry registry)
{
    public Task RespondAsync(HttpContext context, InMemoryRegistryRoute route) =>
        context.Request.Method switch
        {
            "POST" => StartAsync(context, route.Repository),
            "PATCH" => AppendAsync(context, route),
            "PUT" => FinishAsync(context, route),
            "GET" => WithSessionAsync(context, route, session => Accept(context, route, session, StatusCodes.Status204NoContent)),
            "DELETE" => WithSessionAsync(context, route, _ => Cancel(context, route)),
            _ => InMemoryRegistryEndpoint.ErrorAsync(context, StatusCodes.Status405MethodNotAllowed, "UNSUPPORTED", "no such method"),
        };

    private async Task StartAsync(HttpContext context, string name)
    {
        var repository = registry.Repository(name);
        var query = context.Request.Query;
        if (
            Digest.TryParse(query["mount"], out var mounted)
            && query["from"].ToString() is { Length: > 0 } from
            && registry.Repositories.TryGetValue(from, out var source)
            && source.Blobs.TryGetValue(mounted, out var content)
        )
        {
            repository.Blobs[mounted] = content;
            Created(context, name, mounted);
            return;
        }
        var session = Guid.NewGuid().ToString("n");
        repository.Uploads[session] = new MemoryStream();
        if (Digest.TryParse(query["digest"], out _))
        {
            await FinishAsync(context, new InMemoryRegistryRoute(InMemoryRegistryRequestKind.Upload, name, session));
            return;
        }
        if (registry.Options.ChunkMinLength is > 0 and var minimum)
            context.Response.Headers["OCI-Chunk-Min-Length"] = minimum.ToString(CultureInfo.InvariantCulture);
        Accept(
            context,
            new InMemoryRegistryRoute(InMemoryRegistryRequestKind.Upload, name, session),
            repository.Uploads[session],
            StatusCodes.Status202Accepted
        );
    }

    private Task AppendAsync(HttpContext context, InMemoryRegistryRoute route) =>
        WithContentAsync(
            context,
            route,
            async session =>
            {
                await context.Request.Body.CopyToAsync(session, context.RequestAborted);
                Accept(context, route, session, StatusCodes.Status202Accepted);
            }
        );

    private Task FinishAsync(HttpContext context, InMemoryRegistryRoute route) =>
        WithContentAsync(
            context,
            route,
            async session =>
            {
                if (session.Length == 0 && context.Request.ContentLength is > 0 and <= int.MaxValue and var length)
                    session.Capacity = (int)length;
                await context.Request.Body.CopyToAsync(session, context.RequestAborted);
                var repository = registry.Repository(route.Repository);
                repository.Uploads.TryRemove(route.Reference, out _);
                var content = session.GetBuffer().AsMemory(0, (int)session.Length);
                if (!Digest.TryParse(context.Request.Query["digest"], out var digest) || !digest.Matches(content.Span))
                {
                    await InMemoryRegistryEndpoint.ErrorAsync(
                        context,
                        StatusCodes.Status400BadRequest,
                        "DIGEST_INVALID",
                        "provided digest did not match uploaded content"
                    );
                    return;
                }
                repository.Blobs[digest] = content;
                Created(context, route.Repository, digest);
            }
        );

    private Task Cancel(HttpContext context, InMemoryRegistryRoute route)
    {
        registry.Repository(route.Repository).Uploads.TryRemove(route.Reference, out _);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>Handles content for a session if it continues where the session is.</summary>
    private Task WithContentAsync(HttpContext context, InMemoryRegistryRoute route, Func<MemoryStream, Task> append) =>
        WithSessionAsync(
            context,
            route,
            session =>
            {
                if (IsInOrder(context.Request, session))
                    return append(session);
                Accept(context, route, session, StatusCodes.Status416RangeNotSatisfiable);
                return Task.CompletedTask;
            }
        );

    private Task WithSessionAsync(HttpContext context, InMemoryRegistryRoute route, Func<MemoryStream, Task> handle) =>
        registry.Repositories.TryGetValue(route.Repository, out var repository)
        && repository.Uploads.TryGetValue(route.Reference, out var session)
            ? handle(session)
            : InMemoryRegistryEndpoint.ErrorAsync(
                context,
                StatusCodes.Status404NotFound,
                "BLOB_UPLOAD_UNKNOWN",
                "blob upload unknown to registry"
            );

    private Task WithSessionAsync(HttpContext context, InMemoryRegistryRoute route, Action<MemoryStream> handle) =>
        WithSessionAsync(
            context,
            route,
            session =>
            {
                handle(session);
                return Task.CompletedTask;
            }
        );

    /// <summary>A chunk with <c>Content-Range: FIRST-LAST</c> must start at the session's position; without it, it is appended.</summary>
    private static bool IsInOrder(HttpRequest request, MemoryStream session)
    {
        var range = request.Headers.ContentRange.ToString();
        return range.Length == 0
            || range.Split('-') is [var first, _]
                && long.TryParse(first, CultureInfo.InvariantCulture, out var from)
                && from == session.Length;
    }

    private static void Accept(HttpContext context, InMemoryRegistryRoute route, MemoryStream session, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = $"/v2/{route.Repository}/blobs/uploads/{route.Reference}";
        context.Response.Headers["Docker-Upload-UUID"] = route.Reference;
        context.Response.Headers.Range = string.Create(CultureInfo.InvariantCulture, $"0-{Math.Max(0, session.Length - 1)}");
    }

    private static void Created(HttpContext context, string repository, Digest digest)
    {
        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.Headers.Location = $"/v2/{repository}/blobs/{digest}";
        context.Response.Headers["Docker-Content-Digest"] = digest.ToString();
    }
}
