using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>One image of the cluster with all who use it, as far as the rules decide the same for them.</summary>
internal sealed class ImageEntry(ImageDecision decision)
{
    private readonly HashSet<Workload> _workloads = [];
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);

    /// <summary>What the rules say.</summary>
    public ImageDecision Decision => decision;

    /// <summary>The image with its default tag, or as it was written when it does not parse.</summary>
    public string Name => decision.Source?.ToString() ?? decision.Image;

    /// <summary>The registry that the image is of, or null when it does not parse.</summary>
    public string? Registry => decision.Source?.Registry;

    /// <summary>Where it is downstream: the rules' target, or itself when it names one already. Null when it stays where it is.</summary>
    public ImageReference? Target => decision.Target ?? (decision.Reason == DecisionReason.AlreadyAtTarget ? decision.Source : null);

    public IReadOnlyCollection<Workload> Workloads => _workloads;

    /// <summary>Nodes with Pods that use it, under either name.</summary>
    public int Nodes => _nodes.Count;

    /// <summary>Containers of Pods that use the image as it was written.</summary>
    public int RunningOriginal { get; private set; }

    /// <summary>Containers of Pods that use the target.</summary>
    public int RunningTarget { get; private set; }

    /// <summary>Whether the target is there; filled in by <see cref="DownstreamCheck"/>.</summary>
    public Presence Presence { get; set; } = Presence.NotAsked;

    /// <summary>Why that could not be told, or null.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether source and target have one digest; null when nobody asked or it could not be told.</summary>
    public bool? IsSameDigest { get; set; }

    /// <summary>The size on a node in bytes, or null when no node tells.</summary>
    public long? Size { get; set; }

    public ImageState State =>
        Target is null ? ImageState.Unswapped
        : Presence == Presence.Missing ? ImageState.Missing
        : Presence == Presence.Unknown ? ImageState.Unknown
        : Presence == Presence.Present && IsSameDigest == false ? ImageState.Differs
        : Presence == Presence.Present ? ImageState.Downstream
        : ImageState.Swapped;

    public void Add(ImageUse use, bool countsAsWorkload)
    {
        if (countsAsWorkload)
            _workloads.Add(use.Workload);
        if (use.Running is not { } running)
            return;
        if (use.Node is { } node)
            _nodes.Add(node);
        if (decision.Target is { } target && ImageReference.TryParse(running, out var parsed) && parsed.WithDefaultTag() == target)
            RunningTarget++;
        else
            RunningOriginal++;
    }
}

/// <summary>Whether an image is at its target.</summary>
internal enum Presence
{
    NotAsked,
    Present,
    Missing,
    Unknown,
}

/// <summary>What matters of an image, the worst first: the order of the report.</summary>
internal enum ImageState
{
    /// <summary>It is rewritten, and the target does not have it.</summary>
    Missing,

    /// <summary>The target could not be asked.</summary>
    Unknown,

    /// <summary>The target has another digest under that tag than the source.</summary>
    Differs,

    /// <summary>It comes from where it was written.</summary>
    Unswapped,

    /// <summary>It is rewritten; the target was not asked.</summary>
    Swapped,

    /// <summary>It is rewritten, and the target has it.</summary>
    Downstream,
}
