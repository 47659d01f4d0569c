using System.Net;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>One request to a registry, which may be sent several times.</summary>
internal sealed record RegistryRequest(HttpMethod Method, RegistryName Registry, string Repository, Uri Address)
{
    /// <summary>The tag or digest of the request, for errors; null for none.</summary>
    public string? Reference { get; init; }

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

    /// <summary>Secrets in the body, which are removed from errors even if echoed.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    public bool IsWriting => Method != HttpMethod.Get && Method != HttpMethod.Head;

    public RegistryException Fault(
        HttpStatusCode? status,
        string? detail,
        Exception? cause = null,
        IReadOnlyList<RegistryError>? errors = null,
        bool transient = false,
        bool limit = false
    ) =>
        new(Method, Registry, Repository, status, errors ?? [], detail, cause, Reference)
        {
            IsTransient = transient,
            IsLimitExceeded = limit,
        };
}
