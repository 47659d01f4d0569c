using System.Net;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>One request to a registry, which may be sent several times.</summary>
internal sealed record RegistryRequest(HttpMethod Method, RegistryName Registry, string Repository, Uri Address)
{
    private const int MaxTextLength = 400;

    /// <summary>Our own explanation, with a text of the server in it.</summary>
    private const int MaxDetailLength = 1000;

    /// <summary>The tag or digest of the request, for errors; null for none.</summary>
    public string? Reference { get; init; }

    /// <summary>What is requested about it, for errors, such as the list of its referrers; null for its content.</summary>
    public string? List { get; init; }

    /// <summary>The requested server, for errors; null for the registry itself.</summary>
    public string? Server { get; init; }

    /// <summary>The origin that the registry sent the request to, for errors, such as that of an upload; null for its own.</summary>
    public string? RedirectedTo { get; init; }

    public RegistryScope Scope { get; init; } = RegistryScope.None;

    /// <summary>Media types to accept; empty sends no header.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Statuses that are results, not errors.</summary>
    public required IReadOnlyList<HttpStatusCode> Expected { get; init; }

    /// <summary>The first byte to request, for resuming a download.</summary>
    public long? From { get; init; }

    /// <summary>The Content-Range of a chunk: <c>0-99</c>, without a unit, as in the distribution-spec.</summary>
    public string? ContentRange { get; init; }

    /// <summary>Creates the body for each attempt, for a request with this timeout; null for no body.</summary>
    public Func<OperationTimeout, HttpContent>? Content { get; init; }

    /// <summary>False if the body can only be sent once, so that the request cannot be repeated after a 401 or a failure.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Sends Expect: 100-continue before the body.</summary>
    public bool ExpectContinue { get; init; }

    /// <summary>True if the request transfers a blob in either direction, which may take long.</summary>
    public bool IsStream { get; init; }

    /// <summary>What must not be in errors even if echoed; the same for all repetitions of the request.</summary>
    public SentSecrets Secrets { get; init; } = new();

    public bool IsWriting => Method != HttpMethod.Get && Method != HttpMethod.Head;

    /// <summary>A failure of this request. What a server sent may be in the detail and errors: secrets are removed here.</summary>
    public RegistryException Fault(
        HttpStatusCode? status,
        string? detail,
        Exception? cause = null,
        IReadOnlyList<RegistryError>? errors = null,
        bool transient = false,
        bool limit = false,
        TimeSpan? retryAfter = null,
        bool repositoryUnknown = false
    )
    {
        var text = detail ?? (errors is null or [] ? cause?.Message : null);
        if (Server is not null)
            text = text is null ? Server : $"{Server}: {text}";
        return new(
            Method,
            Registry,
            Repository,
            status,
            [.. (errors ?? []).Select(error => new RegistryError(Show(error.Code), Show(error.Message)))],
            text is null ? null : Secrets.Show(text, MaxDetailLength),
            cause,
            Reference,
            List
        )
        {
            IsTransient = transient,
            IsLimitExceeded = limit,
            RetryAfter = retryAfter,
            IsRepositoryUnknown = repositoryUnknown,
        };
    }

    /// <summary>The URL without its query, for logs.</summary>
    public string ShowPath() => Secrets.Show(Address.GetLeftPart(UriPartial.Path), MaxDetailLength);

    private string Show(string text) => Secrets.Show(text, MaxTextLength).Trim();
}
