using System.Net;

namespace ProxySwapper.Kubernetes;

/// <summary>The API server refused or could not be reached. The message names verb, resource, status and the server's own words.</summary>
internal sealed class KubernetesException : Exception
{
    public KubernetesException(
        HttpMethod method,
        string resource,
        HttpStatusCode? status,
        string? reason,
        string? said,
        Exception? innerException = null
    )
        : base(Describe(method, resource, status, said ?? innerException?.Message), innerException) => (Status, Reason) = (status, reason);

    /// <summary>The HTTP status, or null when there was no answer.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>The machine-readable reason of the server's Status object, for instance <c>AlreadyExists</c>, or null.</summary>
    public string? Reason { get; }

    /// <summary>Where a list goes on after its continue token expired: the token of the 410's metadata, or null.</summary>
    public string? Continue { get; init; }

    private static string Describe(HttpMethod method, string resource, HttpStatusCode? status, string? said)
    {
        var outcome = status is { } code ? $"{(int)code} {code}" : "no answer";
        return said is null ? $"{method} {resource}: {outcome}" : $"{method} {resource}: {outcome}: {said}";
    }
}
