using System.Globalization;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>Serves a watch: one line for each change of a selected object, until it is broken or times out.</summary>
internal sealed class WatchEndpoint(InMemoryApiServer server, Selection selection)
{
    private readonly TimeProvider _time = TimeProvider.System;

    public async Task RespondAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var version = long.TryParse(query["resourceVersion"], out var from) ? from : 0;
        var seconds = int.TryParse(query["timeoutSeconds"], out var requested) ? requested : 1800;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, server.WatchesBroken);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, timeout.Token);
        context.Response.ContentType = "application/json";
        try
        {
            await context.Response.StartAsync(either.Token);
            // The headers tell the client that it is connected.
            await context.Response.Body.FlushAsync(either.Token);
            await FollowAsync(context, version, query["allowWatchBookmarks"] == "true", either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !end.IsCancellationRequested)
        {
            // Timed out.
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    private async Task FollowAsync(HttpContext context, long version, bool hasBookmarks, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (server.Store.ChangesAfter(selection.Collection, version) is not var (changes, now, next))
            {
                var gone = new ApiException(StatusCodes.Status410Gone, "Expired", $"too old resource version: {version}");
                await WriteAsync(context, "ERROR", gone.ToStatus(), cancellationToken);
                return;
            }
            foreach (var change in changes)
                if (Describe(change) is var (type, @object))
                    await WriteAsync(context, type, @object, cancellationToken);
            version = now;
            var bookmark = Task.Delay(server.Options.BookmarkInterval, _time, cancellationToken);
            if (await Task.WhenAny(next, bookmark) != bookmark)
                continue;
            await bookmark;
            if (hasBookmarks)
                await WriteAsync(context, "BOOKMARK", Versioned([], version), cancellationToken);
        }
    }

    /// <summary>The event of a change from the selection's view; null if there is none.</summary>
    private (string Type, JsonObject Object)? Describe(StoredChange change)
    {
        var was = change.Old is { } old && selection.IsMatch(old);
        var isIn = change.New is { } @new && selection.IsMatch(@new);
        return (was, isIn) switch
        {
            (false, true) => ("ADDED", change.New!),
            (true, true) => ("MODIFIED", change.New!),
            (true, false) => ("DELETED", Versioned((JsonObject)change.Old!.DeepClone(), change.Version)),
            _ => null,
        };
    }

    private static JsonObject Versioned(JsonObject @object, long version)
    {
        var metadata = @object["metadata"] as JsonObject ?? (JsonObject)(@object["metadata"] = new JsonObject());
        metadata["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        return @object;
    }

    private static async Task WriteAsync(HttpContext context, string type, JsonObject @object, CancellationToken cancellationToken)
    {
        await context.Response.WriteAsync($"{{\"type\":\"{type}\",\"object\":{@object.ToJsonString()}}}\n", cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }
}
