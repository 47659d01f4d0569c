using System.Diagnostics;

namespace ProxySwapper.Population.Work;

/// <summary>The Pod that needs an image: whose pull secrets open the source, and who is told when it fails.</summary>
/// <param name="Namespace">The Pod's namespace.</param>
/// <param name="Name">Its name; null while the API server has still to make one up.</param>
/// <param name="ServiceAccount">The account that it runs as.</param>
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
    /// What the API server knows the Pod by; null for one that only a review has shown. For that one no Secret is read and no Event is
    /// written: anybody can post a review.
    /// </summary>
    public string? Uid { get; init; }

    /// <summary>True when this Pod's secrets may open what the other's do not.</summary>
    public bool OpensOtherThan(PodOrigin other) =>
        Namespace != other.Namespace
        || Uid is null != other.Uid is null
        || ServiceAccount != other.ServiceAccount
        || !PullSecrets.SequenceEqual(other.PullSecrets);
}
