namespace ProxySwapper.Population.Queue;

/// <summary>How a job that succeeded did it.</summary>
/// <param name="Outcome">What was to be done.</param>
/// <param name="Bytes">Bytes moved.</param>
/// <param name="Digest">What the target points at.</param>
internal sealed record TransferResult(TransferOutcome Outcome, long Bytes, string Digest);

/// <summary>What was to be done; the names, in snake_case, are values of a metric's label.</summary>
internal enum TransferOutcome
{
    Copied,
    UpToDate,
    Warmed,
}
