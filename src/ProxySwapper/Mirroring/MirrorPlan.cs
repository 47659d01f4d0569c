namespace ProxySwapper.Mirroring;

/// <summary>What one image needs.</summary>
/// <param name="Tasks">Tags to move, or to look at since they may have changed.</param>
/// <param name="Settled">Tags and images that need nothing, with the reason.</param>
internal sealed record MirrorPlan(IReadOnlyList<MirrorTask> Tasks, IReadOnlyList<MirrorResult> Settled)
{
    public static MirrorPlan Nothing { get; } = new([], []);
}
