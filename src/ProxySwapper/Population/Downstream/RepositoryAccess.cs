namespace ProxySwapper.Population.Downstream;

/// <summary>The result of a check of one repository.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Response">The response of the registry.</param>
/// <param name="Denial">Why it denied access, or null.</param>
internal sealed record RepositoryAccess(string Repository, RepositoryResponse Response, string? Denial);

/// <summary>The response of a registry to a check of a repository.</summary>
internal enum RepositoryResponse
{
    /// <summary>Not known: it was too slow, did not respond, or failed (5xx).</summary>
    Inconclusive,

    /// <summary>The repository does not exist, as with registries where the first copy creates it: our login was not rejected.</summary>
    Absent,

    /// <summary>We may read and write there.</summary>
    Granted,

    /// <summary>It rejected our login (401 or 403).</summary>
    Denied,
}
