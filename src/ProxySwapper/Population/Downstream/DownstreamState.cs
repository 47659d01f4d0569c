using ProxySwapper.Registry;

namespace ProxySwapper.Population.Downstream;

/// <summary>The state of a downstream registry.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Failure">Why it is failing, so that images may be left unchanged, or null.</param>
/// <param name="LastFailure">The failure of its last check; null if it responded or has not been checked yet.</param>
/// <param name="Access">Our access.</param>
/// <param name="CheckedAt">When it was last checked; null before the first check.</param>
internal sealed record DownstreamState(
    RegistryName Registry,
    string? Failure,
    string? LastFailure,
    DownstreamAccess Access,
    DateTimeOffset? CheckedAt
);

/// <summary>Whether we may read and write at a downstream registry; the names, in camelCase, are those of <c>/populate</c>.</summary>
internal enum DownstreamAccess
{
    /// <summary>Unknown: nothing is populated there, no repository is known to check, or no check was conclusive.</summary>
    Unknown,

    /// <summary>A manifest was looked up, and an upload was started and cancelled.</summary>
    Granted,

    /// <summary>The registry rejected our login (401 or 403).</summary>
    Refused,
}
