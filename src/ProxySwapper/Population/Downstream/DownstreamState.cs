namespace ProxySwapper.Population.Downstream;

/// <summary>How a downstream registry does, for people.</summary>
/// <param name="Registry">The registry.</param>
/// <param name="Failure">Why it counts as failing, so that images may be let through unchanged; null while it does not.</param>
/// <param name="LastFailure">Why it failed when it was asked last; null when it answered, or was not asked yet.</param>
/// <param name="Access">Whether we may read and write there.</param>
/// <param name="LookedAt">When it was asked last; null before the first time.</param>
internal sealed record DownstreamState(
    string Registry,
    string? Failure,
    string? LastFailure,
    DownstreamAccess Access,
    DateTimeOffset? LookedAt
);

/// <summary>Whether we may read and write at a downstream registry; the names, in camelCase, are those of <c>/populate</c>.</summary>
internal enum DownstreamAccess
{
    /// <summary>Not asked: nothing is populated there, or no repository is known to ask about. Or it could not be told.</summary>
    Unknown,

    /// <summary>A manifest was looked for and an upload was opened and cancelled.</summary>
    Granted,

    /// <summary>The registry refused our login (401 or 403).</summary>
    Refused,
}
