using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>Handles the requests of an <see cref="InMemoryApiServer"/>.</summary>
internal sealed class ApiEndpoint(InMemoryApiServer server)
{
    private const string AccessReviews = "authorization.k8s.io/v1/selfsubjectaccessreviews";
    private static readonly char[] NameLetters = [.. "bcdfghjklmnpqrstvwxz2456789"];

    private ObjectStore Store => server.Store;

    public async Task RespondAsync(HttpContext context)
    {
        context.Response.GetTypedHeaders().Date = server.Options.Time.GetUtcNow();
        try
        {
            await DispatchAsync(context);
        }
        catch (ApiException rejection)
        {
            await WriteAsync(context, rejection.Code, rejection.ToStatus());
        }
    }

    private async Task DispatchAsync(HttpContext context)
    {
        if (context.Request.Path == "/version")
        {
            var minor = server.Options.MinorVersion.ToString(CultureInfo.InvariantCulture);
            await WriteAsync(
                context,
                StatusCodes.Status200OK,
                new JsonObject
                {
                    ["major"] = "1",
                    ["minor"] = minor,
                    ["gitVersion"] = $"v1.{minor}.0",
                }
            );
            return;
        }
        var path =
            ApiPath.Parse(context.Request.Path.Value ?? "")
            ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", "the server could not find the requested resource");
        var query = context.Request.Query;
        var verb = VerbOf(context.Request, path);
        var action = $"{verb} {path.Resource}";
        server.Requests.AddOrUpdate(action, 1, (_, count) => count + 1);
        if (server.Denied.ContainsKey(action))
            throw new ApiException(
                StatusCodes.Status403Forbidden,
                "Forbidden",
                $"{path.Resource} \"{path.Name}\" is forbidden: User \"{UserOf(context)}\" cannot {verb} resource \"{path.Resource}\""
            );
        if (verb == "watch")
        {
            await new WatchEndpoint(server, SelectionOf(path, query)).RespondAsync(context);
            return;
        }
        var body = verb is "get" or "list" ? null : await ReadAsync(context);
        var isDryRun = query["dryRun"] == "All";
        var result = verb switch
        {
            "get" => Store.Find(path) ?? throw ApiException.NotFound(path),
            "list" => List(path, query),
            "create" => await CreateAsync(context, path, body as JsonObject ?? throw BadRequest(), isDryRun),
            "update" => await UpdateAsync(context, path, Replacement(path, body as JsonObject ?? throw BadRequest()), isDryRun),
            "patch" => await UpdateAsync(context, path, Patch(context.Request.ContentType ?? "", body), isDryRun),
            "delete" => Store.Delete(path, (string?)body?["preconditions"]?["uid"], (string?)body?["preconditions"]?["resourceVersion"]),
            _ => throw new ApiException(StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", "the server does not allow this method"),
        };
        await WriteAsync(context, verb == "create" ? StatusCodes.Status201Created : StatusCodes.Status200OK, result);
    }

    private JsonObject List(ApiPath path, IQueryCollection query)
    {
        var (objects, version) = Store.List(SelectionOf(path, query));
        var start = int.TryParse(query["continue"], out var token) ? token : 0;
        var limit = int.TryParse(query["limit"], out var most) && most > 0 ? most : int.MaxValue;
        var page = objects.Skip(start).Take(limit).ToList();
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
        if (start + page.Count < objects.Count)
            metadata["continue"] = (start + page.Count).ToString(CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["kind"] = "List",
            ["apiVersion"] = path.GroupVersion,
            ["metadata"] = metadata,
            ["items"] = new JsonArray([.. page.Select(item => item.DeepClone())]),
        };
    }

    private async Task<JsonObject> CreateAsync(HttpContext context, ApiPath path, JsonObject body, bool isDryRun)
    {
        if (path.Collection == AccessReviews)
        {
            var attributes = body["spec"]!["resourceAttributes"]!;
            body["status"] = new JsonObject { ["allowed"] = !server.Denied.ContainsKey($"{attributes["verb"]} {attributes["resource"]}") };
            return body;
        }
        if (path is { IsPods: true, SubResource: "binding" })
            return Store.Update(path, pod => PodRules.Bind(pod, (string)body["target"]!["name"]!), isDryRun);
        var metadata = body["metadata"] as JsonObject ?? (JsonObject)(body["metadata"] = new JsonObject());
        metadata["name"] ??= (string?)metadata["generateName"] is { } prefix
            ? prefix + new string(Random.Shared.GetItems(NameLetters, 5))
            : throw ApiException.Invalid("metadata.name: Required value: name or generateName is required");
        if (path.Namespace is not null)
            metadata["namespace"] = path.Namespace;
        path = path with { Name = (string)metadata["name"]! };
        if (path.IsPods)
        {
            PodRules.SetDefaults(body);
            body = await new WebhookCaller(Store).CallAsync(path, UserOf(context), body, null, isDryRun, context.RequestAborted);
            PodRules.Create(body);
        }
        return Store.Create(path, body, isDryRun);
    }

    private async Task<JsonObject> UpdateAsync(HttpContext context, ApiPath path, Func<JsonObject, JsonObject> change, bool isDryRun)
    {
        if (!path.IsPods)
        {
            // PUT creates a missing object, unless it has a uid.
            if (context.Request.Method == HttpMethods.Put && Store.Find(path) is null)
            {
                var body = change([]);
                return body["metadata"]?["uid"] is null
                    ? Store.Create(path, body, isDryRun)
                    : throw ApiException.Conflict(
                        $"Precondition failed: UID in precondition: {body["metadata"]!["uid"]}, UID in object meta: "
                    );
            }
            return Store.Update(path, change, isDryRun);
        }
        var old = Store.Find(path) ?? throw ApiException.NotFound(path);
        var changed = change(old);
        if (JsonNode.DeepEquals(old, changed))
            return old;
        if (changed["metadata"]?["uid"] is { } uid && (string?)uid != (string?)old["metadata"]!["uid"])
            throw ApiException.Invalid("metadata.uid: Invalid value: field is immutable");
        changed = await new WebhookCaller(Store).CallAsync(path, UserOf(context), changed, old, isDryRun, context.RequestAborted);
        PodRules.Update(old, changed);
        // The version that the webhooks saw, or it is a conflict.
        changed["metadata"]!["resourceVersion"] ??= (string?)old["metadata"]!["resourceVersion"];
        return Store.Update(path, _ => changed, isDryRun);
    }

    private static Func<JsonObject, JsonObject> Replacement(ApiPath path, JsonObject body)
    {
        if (path.Resource == "leases" && body["metadata"]?["uid"] is not null && body["metadata"]?["resourceVersion"] is null)
            throw ApiException.Invalid("metadata.resourceVersion: Invalid value: must be specified for an update");
        return _ => (JsonObject)body.DeepClone();
    }

    private static Func<JsonObject, JsonObject> Patch(string contentType, JsonNode? body) =>
        contentType.Split(';')[0] switch
        {
            "application/json-patch+json" => old => JsonPatch.Apply(old, body as JsonArray ?? throw BadRequest()),
            "application/merge-patch+json" => old => JsonPatch.Merge(old, body as JsonObject ?? throw BadRequest()),
            var other => throw new ApiException(
                StatusCodes.Status415UnsupportedMediaType,
                "UnsupportedMediaType",
                $"{other} is not supported here"
            ),
        };

    private static string VerbOf(HttpRequest request, ApiPath path) =>
        request.Method switch
        {
            "GET" when path.Name is not null => "get",
            "GET" => request.Query["watch"] is var watch && (watch == "1" || watch == "true") ? "watch" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            var other => other,
        };

    private static Selection SelectionOf(ApiPath path, IQueryCollection query) =>
        new(path, query["labelSelector"].ToString(), query["fieldSelector"].ToString());

    private static string UserOf(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var user] ? user : "system:anonymous";

    private static async Task<JsonNode?> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    private static Task WriteAsync(HttpContext context, int status, JsonObject result)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(result.ToJsonString(), context.RequestAborted);
    }

    private static ApiException BadRequest() =>
        new(StatusCodes.Status400BadRequest, "BadRequest", "the body is not valid for this request");
}
