namespace ProxySwapper.Population.Queue;

/// <summary>The result of a successful job.</summary>
/// <param name="Outcome">What was done.</param>
/// <param name="Bytes">Bytes copied.</param>
/// <param name="Digest">The target's digest.</param>
internal sealed record TransferResult(TransferOutcome Outcome, long Bytes, string Digest);

/// <summary>What was done; the names, in snake_case, are values of a metric's label.</summary>
internal enum TransferOutcome
{
    Copied,
    UpToDate,
    Warmed,
}
