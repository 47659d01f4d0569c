using System.Net;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registry.Transport;

/// <summary>One request to a registry, as often as it takes to send it.</summary>
internal sealed record RegistryRequest(HttpMethod Method, string Registry, string Repository, Uri Address)
{
    /// <summary>The tag or digest that the request is about, for errors; null for none.</summary>
    public string? Reference { get; init; }

    public RegistryScope Scope { get; init; } = RegistryScope.None;

    /// <summary>Media types to accept; empty sends no header.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Statuses that are results and not errors.</summary>
    public required IReadOnlyList<HttpStatusCode> Expected { get; init; }

    /// <summary>The first byte wanted, for a download that is resumed.</summary>
    public long? From { get; init; }

    /// <summary>A header of the body, for a chunk: <c>0-99</c>, without a unit, as the distribution-spec has it.</summary>
    public string? ContentRange { get; init; }

    /// <summary>Makes the body anew for each sending, for a request that has this timeout; null for no body.</summary>
    public Func<OperationTimeout, HttpContent>? Content { get; init; }

    /// <summary>False when the body can be sent only once: then neither a 401 nor a fault is answered by sending again.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Asks before a body is sent whether it is welcome.</summary>
    public bool ExpectContinue { get; init; }

    /// <summary>The request carries a blob in either direction, which may take long.</summary>
    public bool IsStream { get; init; }

    /// <summary>Secrets that the body holds: whoever echoes them, they do not reach an error.</summary>
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
