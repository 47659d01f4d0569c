using System.Net;

namespace ProxySwapper.Registry.Transport;

/// <summary>One request to a registry, as often as it takes to send it.</summary>
internal sealed record RegistryRequest(HttpMethod Method, string Registry, string Repository, Uri Address)
{
    public RegistryScope Scope { get; init; } = RegistryScope.None;

    /// <summary>Media types to accept; empty says nothing.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Statuses that are answers and not faults.</summary>
    public required IReadOnlyList<HttpStatusCode> Expected { get; init; }

    /// <summary>The first byte wanted, for a download that goes on.</summary>
    public long? From { get; init; }

    /// <summary>A header of the body, for a chunk: <c>0-99</c>, without a unit, as the distribution protocol has it.</summary>
    public string? ContentRange { get; init; }

    /// <summary>Makes the body anew for each sending; null for none.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>False when the body can be sent only once: then neither a 401 nor a fault is answered by sending again.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Asks before a body is sent whether it is welcome.</summary>
    public bool ExpectContinue { get; init; }

    /// <summary>The request carries a blob in either direction, which may take long.</summary>
    public bool IsStream { get; init; }

    public bool IsWriting => Method != HttpMethod.Get && Method != HttpMethod.Head;

    public RegistryException Fault(
        HttpStatusCode? status,
        string? detail,
        Exception? cause = null,
        IReadOnlyList<RegistryError>? errors = null,
        bool transient = false,
        TimeSpan? retryAfter = null
    ) => new(Method, Registry, Repository, status, errors ?? [], detail, cause) { IsTransient = transient, RetryAfter = retryAfter };
}
