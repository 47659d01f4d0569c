namespace ProxySwapper.Admission;

/// <summary>The controller of a Pod: the owner reference with <c>controller: true</c>.</summary>
/// <param name="ApiVersion">Group and version, such as <c>apps/v1</c>; <c>v1</c> for the core group.</param>
/// <param name="Kind">Such as <c>ReplicaSet</c>.</param>
/// <param name="Uid">Distinguishes it from others of the same name.</param>
internal sealed record PodController(string ApiVersion, string Kind, string Uid)
{
    /// <summary>The group; empty for the core group.</summary>
    public ReadOnlySpan<char> Group => ApiVersion.IndexOf('/') is >= 0 and var slash ? ApiVersion.AsSpan(0, slash) : [];

    /// <summary>True for controllers that create Pods from a user's template and never check the images of existing Pods.</summary>
    public bool IsBuiltIn =>
        (ApiVersion, Kind)
            is
                ("apps/v1", "ReplicaSet" or "StatefulSet" or "DaemonSet")
                or
                ("batch/v1", "Job")
                or
                ("v1", "ReplicationController");
}
