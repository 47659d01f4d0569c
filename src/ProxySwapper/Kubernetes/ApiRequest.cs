namespace ProxySwapper.Kubernetes;

/// <summary>One request to the API server.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">Path and query string, escaped.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path)
{
    /// <summary>The body, or null.</summary>
    public byte[]? Body { get; init; }

    /// <summary>The media type of <see cref="Body"/>.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>More headers.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>
    /// The operation in the terms of kubectl and RBAC: <c>get configmaps team/web</c>, <c>watch pods</c>, <c>create
    /// leases.coordination.k8s.io in namespace team</c>; otherwise method and path.
    /// </summary>
    public override string ToString()
    {
        var end = Path.IndexOf('?', StringComparison.Ordinal);
        var path = end < 0 ? Path : Path[..end];
        var query = end < 0 ? "" : Path[end..];
        string[] segments = [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)];
        return segments switch
        {
            ["api", _, "namespaces", var space, var plural, .. var rest] => Describe(query, plural, space, rest),
            ["api", _, var plural, .. var rest] => Describe(query, plural, null, rest),
            ["apis", var group, _, "namespaces", var space, var plural, .. var rest] => Describe(query, $"{plural}.{group}", space, rest),
            ["apis", var group, _, var plural, .. var rest] => Describe(query, $"{plural}.{group}", null, rest),
            _ => $"{Method} {path}",
        };
    }

    private string Describe(string query, string resource, string? space, string[] rest)
    {
        var verb = Method.Method switch
        {
            "GET" when rest.Length > 0 => "get",
            "GET" => query.Contains("watch=true", StringComparison.Ordinal) ? "watch" : "list",
            "POST" => "create",
            "PUT" => "update",
            var other => other.ToLowerInvariant(),
        };
        var inNamespace = space is null ? "" : $"{space}/";
        return rest switch
        {
            [] => $"{verb} {resource}{(space is null ? "" : $" in namespace {space}")}",
            [var name] => $"{verb} {resource} {inNamespace}{name}",
            [var name, .. var subresource] => $"{verb} {resource}/{string.Join('/', subresource)} {inNamespace}{name}",
        };
    }
}
