namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>A parsed path of the API.</summary>
/// <param name="GroupVersion"><c>v1</c>, or group and version.</param>
/// <param name="Resource">The plural, such as <c>pods</c>.</param>
/// <param name="Namespace">The namespace, or null.</param>
/// <param name="Name">The object, or null for the collection.</param>
/// <param name="SubResource">Such as <c>binding</c>, or empty.</param>
internal sealed record ApiPath(string GroupVersion, string Resource, string? Namespace, string? Name, string SubResource)
{
    private const string Namespaces = "namespaces";

    /// <summary>Identifies the kind of object.</summary>
    public string Collection => $"{GroupVersion}/{Resource}";

    public bool IsPods => Collection == "v1/pods";

    /// <summary>Parses a path; null if it is not one of objects.</summary>
    public static ApiPath? Parse(string path)
    {
        var parts = path.Trim('/').Split('/');
        var (version, at) = parts switch
        {
            ["api", var core, _, ..] => (core, 2),
            ["apis", var group, var named, _, ..] => ($"{group}/{named}", 3),
            _ => ("", 0),
        };
        if (at == 0)
            return null;
        string? @namespace = null;
        if (parts[at] == Namespaces && parts.Length > at + 2)
            (@namespace, at) = (parts[at + 1], at + 2);
        return new ApiPath(version, parts[at], @namespace, parts.ElementAtOrDefault(at + 1), parts.ElementAtOrDefault(at + 2) ?? "");
    }
}
