using ProxySwapper.Registry;

namespace ProxySwapper.Population.Queue;

/// <summary>Why an attempt failed, and the consequence.</summary>
/// <param name="Message">What was attempted and the registry's response.</param>
/// <param name="Kind">Whether to retry.</param>
/// <param name="Host">The registry that is at fault, or null.</param>
/// <param name="RetryAfter">The registry's Retry-After, or null.</param>
internal sealed record JobFailure(string Message, FailureKind Kind, RegistryName? Host = null, TimeSpan? RetryAfter = null)
{
    /// <summary>True if the registry rejected our login (401 or 403).</summary>
    public bool IsDenied { get; init; }
}

/// <summary>No credential gave access to the source of an image, for more than one reason.</summary>
/// <param name="failure">What that means for the job.</param>
/// <param name="innerException">The reason that counts.</param>
internal sealed class SourceAccessException(JobFailure failure, Exception innerException) : Exception(failure.Message, innerException)
{
    /// <summary>What that means for the job.</summary>
    public JobFailure Failure => failure;
}

/// <summary>The meaning of a failed attempt.</summary>
internal enum FailureKind
{
    /// <summary>This image may work later.</summary>
    Transient,

    /// <summary>Retrying is pointless until something changes: missing image, no permission.</summary>
    Permanent,

    /// <summary>The registry as a whole is down or rate-limiting, whatever the image.</summary>
    RegistryDown,
}
