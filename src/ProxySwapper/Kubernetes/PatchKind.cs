namespace ProxySwapper.Kubernetes;

/// <summary>
/// How a patch is meant (<see href="https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply">API concepts,
/// Patch</see>).
/// </summary>
internal enum PatchKind
{
    /// <summary>RFC 6902: a list of operations.</summary>
    Json,

    /// <summary>RFC 7386: an object laid over the other.</summary>
    Merge,

    /// <summary>Server-side apply: the object as this field manager wants it; it is created where it is not there.</summary>
    Apply,
}
