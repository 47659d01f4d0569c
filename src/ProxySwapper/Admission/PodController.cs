namespace ProxySwapper.Admission;

/// <summary>The object that made a Pod and keeps it as it wants: the owner reference with <c>controller: true</c>.</summary>
/// <param name="ApiVersion">Group and version, for instance <c>apps/v1</c>; <c>v1</c> for the core group.</param>
/// <param name="Kind">For instance <c>ReplicaSet</c>.</param>
/// <param name="Uid">What tells it from another one of that name.</param>
internal sealed record PodController(string ApiVersion, string Kind, string Uid)
{
    /// <summary>The group; empty for the core group.</summary>
    public ReadOnlySpan<char> Group => ApiVersion.IndexOf('/') is >= 0 and var slash ? ApiVersion.AsSpan(0, slash) : [];

    /// <summary>One of those that make Pods from a template of the user and do not look at the images that the Pod has.</summary>
    public bool IsBuiltIn =>
        (ApiVersion, Kind)
            is
                ("apps/v1", "ReplicaSet" or "StatefulSet" or "DaemonSet")
                or
                ("batch/v1", "Job")
                or
                ("v1", "ReplicationController");
}
