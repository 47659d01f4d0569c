using System.Net;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// A registry refused, failed or answered nonsense. The message names method, host, repository, status and its own errors.
/// </summary>
public sealed class RegistryException : Exception
{
    /// <summary>A failure of one request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="host">The registry's host, as asked.</param>
    /// <param name="repository">The repository, empty where there is none.</param>
    /// <param name="status">The HTTP status, or null when there was no answer.</param>
    /// <param name="errors">The registry's own <c>errors[]</c>, empty when it sent none.</param>
    /// <param name="detail">What the registry did not say, for instance that a digest does not match.</param>
    /// <param name="innerException">The cause, for instance a broken connection.</param>
    public RegistryException(
        HttpMethod method,
        string host,
        string repository,
        HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors,
        string? detail = null,
        Exception? innerException = null
    )
        : base(Describe(method, host, repository, status, errors, detail, innerException), innerException) =>
        (Method, Host, Repository, Status, Errors) = (method, host, repository, status, errors);

    /// <summary>The HTTP method.</summary>
    public HttpMethod Method { get; }

    /// <summary>The registry's host, as asked.</summary>
    public string Host { get; }

    /// <summary>The repository, empty where there is none.</summary>
    public string Repository { get; }

    /// <summary>The HTTP status, or null when there was no answer.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>The registry's own errors, empty when it sent none.</summary>
    public IReadOnlyList<RegistryError> Errors { get; }

    /// <summary>When the registry asked to come back, or null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>True when the same request may succeed later: 408, 429, 5xx, a broken or silent connection.</summary>
    public bool IsTransient { get; init; }

    /// <summary>
    /// True when the repository does not exist and has to be made before anything can be pushed to it: the registry says
    /// <c>NAME_UNKNOWN</c>, or drops the upload and says so when asked (ECR).
    /// </summary>
    public bool IsRepositoryUnknown { get; init; }

    /// <summary>True when an immutable tag points at something else than what was to be written.</summary>
    public bool IsTagConflict { get; init; }

    /// <summary>True when one of the registry's errors has this code.</summary>
    public bool HasCode(string code) => Errors.Any(error => error.Code == code);

    private static string Describe(
        HttpMethod method,
        string host,
        string repository,
        HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors,
        string? detail,
        Exception? cause
    )
    {
        var place = repository.Length == 0 ? host : $"{host}/{repository}";
        var outcome = status is { } code ? $"{(int)code}" : "no answer";
        var said = errors
            .Select(error => error.Message.Length == 0 ? error.Code : $"{error.Code}: {error.Message}")
            .Append(detail ?? (errors.Count == 0 ? cause?.Message : null));
        return string.Join(": ", [$"{method} {place}: {outcome}", .. said.Where(text => text is { Length: > 0 }).Take(8)]);
    }
}
