namespace ProxySwapper.Mirroring;

/// <summary>What became of one tag, or of a whole image when <paramref name="Tag"/> is null.</summary>
/// <param name="Image">The entry of the file.</param>
/// <param name="Tag">The tag, or null.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Detail">Why it was skipped, failed or left; null otherwise.</param>
/// <param name="Digest">What the destination's tag points at now, where that is known.</param>
/// <param name="Bytes">Bytes that were moved.</param>
internal sealed record MirrorResult(
    MirrorImage Image,
    string? Tag,
    MirrorOutcome Outcome,
    string? Detail = null,
    string? Digest = null,
    long Bytes = 0
);

/// <summary>How a tag ended; the names, in camelCase, are those of the report.</summary>
internal enum MirrorOutcome
{
    Copied,
    Replaced,
    UpToDate,
    Skipped,
    Failed,

    /// <summary>Not reached: the run was stopped, or the source grants no more pulls. The next run takes it.</summary>
    Left,
}
