namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>What a path of the API means.</summary>
/// <param name="GroupVersion"><c>v1</c>, or group and version.</param>
/// <param name="Resource">The plural, for instance <c>pods</c>.</param>
/// <param name="Namespace">The namespace, or null.</param>
/// <param name="Name">The object, or null for the collection.</param>
/// <param name="SubResource">For instance <c>binding</c>, or empty.</param>
internal sealed record ApiPath(string GroupVersion, string Resource, string? Namespace, string? Name, string SubResource)
{
    private const string Namespaces = "namespaces";

    /// <summary>What tells the kinds of objects apart.</summary>
    public string Collection => $"{GroupVersion}/{Resource}";

    public bool IsPods => Collection == "v1/pods";

    /// <summary>Null for a path that is not one of objects.</summary>
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
