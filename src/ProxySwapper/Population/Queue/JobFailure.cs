namespace ProxySwapper.Population.Queue;

/// <summary>Why a try failed, and what follows from it.</summary>
/// <param name="Message">What was tried and what the registry said.</param>
/// <param name="Kind">Whether it is worth another try.</param>
/// <param name="Host">The registry that is at fault, or null.</param>
/// <param name="RetryAfter">When the registry asked to come back, or null.</param>
internal sealed record JobFailure(string Message, FailureKind Kind, string? Host = null, TimeSpan? RetryAfter = null);

/// <summary>What a failed try means.</summary>
internal enum FailureKind
{
    /// <summary>This image may work later.</summary>
    Passing,

    /// <summary>No try will help before somebody changes something: no such image, no permission.</summary>
    Final,

    /// <summary>The registry as a whole does not answer or wants to be left in peace, whatever the image.</summary>
    HostFailing,
}
