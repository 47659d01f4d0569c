using System.Net;

namespace ProxySwapper.Registry.Protocol;

/// <summary>A registry refused, failed or answered nonsense. The message names method, host, repository, status and its own errors.</summary>
public sealed class RegistryException : Exception
{
    /// <summary>A failure of one request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="host">The registry's host, as asked.</param>
    /// <param name="repository">The repository, empty where there is none.</param>
    /// <param name="status">The HTTP status, or null when there was no answer.</param>
    /// <param name="errors">The registry's own <c>errors[]</c>, empty when it sent none.</param>
    /// <param name="detail">What went wrong where the registry did not say, for instance a digest that does not match.</param>
    /// <param name="innerException">The cause, for instance a broken connection.</param>
    public RegistryException(
        HttpMethod method, string host, string repository, HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors, string? detail = null, Exception? innerException = null)
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

    /// <summary>True when one of the registry's errors has this code.</summary>
    public bool HasCode(string code) => Errors.Any(error => error.Code == code);

    private static string Describe(
        HttpMethod method, string host, string repository, HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors, string? detail, Exception? cause)
    {
        var place = repository.Length == 0 ? host : $"{host}/{repository}";
        var said = errors.Count > 0 ? string.Join("; ", errors.Select(error => $"{error.Code}: {error.Message}")) : detail ?? cause?.Message;
        var outcome = status is { } code ? $"{(int)code}" : "no answer";
        return said is null ? $"{method} {place}: {outcome}" : $"{method} {place}: {outcome}: {said}";
    }
}
