namespace ProxySwapper.Kubernetes;

/// <summary>
/// The format of a patch (<see href="https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply">API concepts,
/// Patch</see>).
/// </summary>
internal enum PatchKind
{
    /// <summary>RFC 6902: a list of operations.</summary>
    Json,

    /// <summary>RFC 7386: an object merged into the other.</summary>
    Merge,

    /// <summary>Server-side apply: the state that this field manager wants; creates the object if it does not exist.</summary>
    Apply,
}
