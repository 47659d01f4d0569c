namespace ProxySwapper.Mirroring;

/// <summary>The work for one image.</summary>
/// <param name="Tasks">Tags to copy, or to check for changes.</param>
/// <param name="Settled">Tags and images with nothing to do, with the reason.</param>
internal sealed record MirrorPlan(IReadOnlyList<MirrorTask> Tasks, IReadOnlyList<MirrorResult> Settled)
{
    public static MirrorPlan Nothing { get; } = new([], []);
}
