namespace ProxySwapper.Mirroring;

/// <summary>The result of one tag, or of a whole image if <paramref name="Tag"/> is null.</summary>
/// <param name="Image">The entry of the file.</param>
/// <param name="Tag">The tag, or null.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Detail">Why it was skipped, failed or left, or what of it was not replaced; otherwise null.</param>
/// <param name="Digest">What the destination's tag now points to, if known.</param>
/// <param name="Bytes">Bytes copied.</param>
internal sealed record MirrorResult(
    MirrorImage Image,
    string? Tag,
    MirrorOutcome Outcome,
    string? Detail = null,
    string? Digest = null,
    long Bytes = 0
)
{
    /// <summary>True if it failed for what the image is, so that repeating it does not help.</summary>
    public bool IsPermanent { get; init; }

    /// <summary>True if it was skipped since something of the source or destination was not found or not understood.</summary>
    public bool IsUnread { get; init; }

    /// <summary>False if it failed, is left for another run, or was skipped for <see cref="IsUnread"/>.</summary>
    public bool IsComplete => Outcome is not (MirrorOutcome.Failed or MirrorOutcome.Left) && !IsUnread;
}

/// <summary>How a tag ended; the names, in camelCase, are those of the report.</summary>
internal enum MirrorOutcome
{
    Copied,
    Replaced,
    UpToDate,
    Skipped,
    Failed,

    /// <summary>Not reached: the run was stopped, or the source's pull limit was reached. Left to the next run.</summary>
    Left,
}
