using System.Net;
using System.Text;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// A registry did not respond, or returned an error or an invalid response. The message has the method, the requested content, the status
/// and the registry's own errors: <c>GET host/repo:1.0: not found (HTTP 404): MANIFEST_UNKNOWN: manifest unknown</c>.
/// </summary>
public sealed class RegistryException : Exception
{
    /// <summary>The maximum number of registry errors in a message.</summary>
    private const int MaxTexts = 8;

    /// <summary>A failure of one request.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="host">The registry.</param>
    /// <param name="repository">The repository, empty if there is none.</param>
    /// <param name="status">The HTTP status, or null when there was no response.</param>
    /// <param name="errors">The registry's own <c>errors[]</c>, empty when it sent none.</param>
    /// <param name="detail">Our own explanation, such as a digest mismatch.</param>
    /// <param name="innerException">The cause, such as a broken connection.</param>
    /// <param name="reference">The tag or digest of the request, null or empty if there is none.</param>
    /// <param name="list">What was requested about it, such as the list of its referrers; null for its content.</param>
    public RegistryException(
        HttpMethod method,
        RegistryName host,
        string repository,
        HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors,
        string? detail = null,
        Exception? innerException = null,
        string? reference = null,
        string? list = null
    )
        : base(Describe(method, NameOf(host, repository, reference, list), status, errors, detail, innerException), innerException) =>
        (Method, Host, Repository, Status, Errors) = (method, host, repository, status, errors);

    /// <summary>The HTTP method.</summary>
    public HttpMethod Method { get; }

    /// <summary>The registry.</summary>
    public RegistryName Host { get; }

    /// <summary>The repository, empty if there is none.</summary>
    public string Repository { get; }

    /// <summary>The HTTP status, or null when there was no response.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>The registry's own errors, empty when it sent none.</summary>
    public IReadOnlyList<RegistryError> Errors { get; }

    /// <summary>The wait of the Retry-After header, or null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>True if a retry may succeed: 408, 429, 5xx, a broken or stalled connection.</summary>
    public bool IsTransient { get; init; }

    /// <summary>
    /// True if the content exceeds a limit of this library (the size of a manifest, the length of a list) or has a format that it does not
    /// support (Docker schema 1, content that is no manifest): a retry would not help.
    /// </summary>
    public bool IsLimitExceeded { get; init; }

    /// <summary>True if the image that is to be copied does not exist.</summary>
    public bool IsImageUnknown { get; init; }

    /// <summary>
    /// True if the repository does not exist and has to be created before a push: the registry returns <c>NAME_UNKNOWN</c>, or drops the
    /// upload and says so when checked (ECR).
    /// </summary>
    public bool IsRepositoryUnknown { get; init; }

    /// <summary>True if an immutable tag points at something else.</summary>
    public bool IsTagConflict { get; init; }

    /// <summary>True if one of the registry's errors has this code.</summary>
    public bool HasCode(string code) => Errors.Any(error => error.Code == code);

    private static string NameOf(RegistryName host, string repository, string? reference, string? list)
    {
        var name = repository.Length == 0 ? host.Text : $"{host}/{repository}";
        if (!string.IsNullOrEmpty(reference))
            name += Digest.TryParse(reference, out _) ? $"@{reference}" : $":{reference}";
        return list is null ? name : $"{name} ({list})";
    }

    private static string Describe(
        HttpMethod method,
        string name,
        HttpStatusCode? status,
        IReadOnlyList<RegistryError> errors,
        string? detail,
        Exception? cause
    )
    {
        var texts = errors
            .Select(error =>
                error.Message.Length == 0 ? error.Code
                : error.Code.Length == 0 ? error.Message
                : $"{error.Code}: {error.Message}"
            )
            .Where(text => text.Length > 0)
            .Take(MaxTexts)
            .Append(detail ?? (errors.Count == 0 ? cause?.Message : null));
        return string.Join(": ", [$"{method} {name}: {OutcomeOf(status)}", .. texts.Where(text => text is { Length: > 0 })]);
    }

    /// <summary><c>not found (HTTP 404)</c>; the number alone for successes, redirects and for statuses that have no name.</summary>
    private static string OutcomeOf(HttpStatusCode? status)
    {
        if (status is not { } code)
            return "no response";
        if ((int)code < 400 || !Enum.IsDefined(code))
            return $"HTTP {(int)code}";
        var words = new StringBuilder();
        foreach (var letter in code.ToString())
            words.Append(char.IsUpper(letter) && words.Length > 0 ? " " : "").Append(char.ToLowerInvariant(letter));
        return $"{words} (HTTP {(int)code})";
    }
}

/// <summary>
/// One entry of a registry's <c>errors[]</c>
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes">distribution-spec, Error Codes</see>).
/// </summary>
/// <param name="Code">Such as <c>MANIFEST_UNKNOWN</c>.</param>
/// <param name="Message">The registry's own text.</param>
public sealed record RegistryError(string Code, string Message);
