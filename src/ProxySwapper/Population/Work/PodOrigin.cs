using System.Diagnostics;

namespace ProxySwapper.Population.Work;

/// <summary>The Pod that needs an image: its pull secrets give access to the source, and failures are reported to it.</summary>
/// <param name="Namespace">The Pod's namespace.</param>
/// <param name="Name">Its name; null until the API server has generated one.</param>
/// <param name="ServiceAccount">Its service account.</param>
/// <param name="PullSecrets">The names of its pull secrets.</param>
/// <param name="Trace">The span of its admission, or none.</param>
internal sealed record PodOrigin(
    string Namespace,
    string? Name,
    string ServiceAccount,
    IReadOnlyList<string> PullSecrets,
    ActivityContext Trace = default
)
{
    /// <summary>
    /// The Pod's uid at the API server; null for a Pod known only from a review. For such a Pod no Secret is read and no Event is written,
    /// since anyone can post a review.
    /// </summary>
    public string? Uid { get; init; }

    /// <summary>True if this Pod's secrets may give access that the other's do not.</summary>
    public bool OpensOtherThan(PodOrigin other) =>
        Namespace != other.Namespace
        || Uid is null != other.Uid is null
        || ServiceAccount != other.ServiceAccount
        || !PullSecrets.SequenceEqual(other.PullSecrets);
}
