using System.Diagnostics;

namespace ProxySwapper.Population.Work;

/// <summary>
/// Who needs an image: a Pod, or a workload. Its pull secrets give access to the source, and failures are reported to it.
/// </summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name; null until the API server has generated one.</param>
/// <param name="ServiceAccount">Its service account.</param>
/// <param name="PullSecrets">The names of its pull secrets.</param>
/// <param name="Trace">The span of a Pod's admission, or none.</param>
internal sealed record PodOrigin(
    string Namespace,
    string? Name,
    string ServiceAccount,
    IReadOnlyList<string> PullSecrets,
    ActivityContext Trace = default
)
{
    /// <summary>Of one image: the secrets of further ones are not tried.</summary>
    public const int MaximumPerImage = 64;

    /// <summary>
    /// The Pod's uid at the API server; null for a Pod known only from a review. For such a Pod no Secret is read and no Event is written,
    /// since anyone can post a review.
    /// </summary>
    public string? Uid { get; init; }

    /// <summary>The group and version of its kind.</summary>
    public string ApiVersion { get; init; } = "v1";

    /// <summary>Its kind: <c>Pod</c>, or a workload's kind.</summary>
    public string Kind { get; init; } = "Pod";

    /// <summary>True if this one's secrets may give access that the other's do not.</summary>
    public bool HasOtherAccessThan(PodOrigin other) =>
        Namespace != other.Namespace
        || Uid is null != other.Uid is null
        || ServiceAccount != other.ServiceAccount
        || !PullSecrets.SequenceEqual(other.PullSecrets);
}
