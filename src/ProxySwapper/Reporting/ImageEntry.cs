using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Reporting;

/// <summary>One image of the cluster with all users for which the rules decide the same.</summary>
/// <param name="decision">The rules' decision.</param>
/// <param name="work">How the image is brought downstream, or null if nothing does.</param>
internal sealed class ImageEntry(ImageDecision decision, PopulationWork? work)
{
    private readonly HashSet<Workload> _workloads = [];
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);

    /// <summary>The rules' decision.</summary>
    public ImageDecision Decision => decision;

    /// <summary>How the image is brought downstream: a copy, or a pull through a cache. Null if nothing does.</summary>
    public PopulationWork? Work => work;

    /// <summary>The image with its default tag, or as written if it is not valid.</summary>
    public string Name => decision.Source?.ToString() ?? decision.Image;

    /// <summary>The image's registry, or null if it is not valid.</summary>
    public RegistryName? Registry => decision.Source?.Registry;

    /// <summary>
    /// The downstream image: the rules' target, or itself if it already is one, or what <c>populate.proxyCaches</c> fills. Null if it is
    /// not rewritten.
    /// </summary>
    public ImageReference? Target =>
        decision.Target ?? (decision.Reason == DecisionReason.AlreadyAtTarget ? decision.Source : work?.Target);

    /// <summary>
    /// The registry that the image comes from before it is downstream; null if that is not known, since it names its target itself.
    /// </summary>
    public RegistryName? Origin =>
        work is CopyWork copy ? copy.Source.Registry
        : Target is null || decision.IsRewritten || Registry != Target.Registry ? Registry
        : null;

    /// <summary>
    /// True if the target fetches images itself, like a pull-through cache: no response shows whether it has an image already or fetches
    /// it from its upstream.
    /// </summary>
    public bool IsFilledOnDemand => Target is not null && (work is WarmUpWork || work is null && !decision.Populate);

    public IReadOnlyCollection<Workload> Workloads => _workloads;

    /// <summary>Nodes with Pods that use it, by either name.</summary>
    public int Nodes => _nodes.Count;

    /// <summary>Containers of Pods that use the original image, if that is not the target itself.</summary>
    public int RunningOriginal { get; private set; }

    /// <summary>Containers of Pods that use the target.</summary>
    public int RunningTarget { get; private set; }

    /// <summary>Whether the target exists; set by <see cref="DownstreamCheck"/>.</summary>
    public Presence Presence { get; set; } = Presence.NotChecked;

    /// <summary>Why that is unknown, or null.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether source and target have the same digest; null if not checked or unknown.</summary>
    public bool? IsSameDigest { get; set; }

    /// <summary>The size on a node in bytes, or null if no node reports it.</summary>
    public long? Size { get; set; }

    public ImageState State =>
        Target is null ? ImageState.Unswapped
        : Presence == Presence.Missing ? ImageState.Missing
        : Presence == Presence.Unknown || Presence == Presence.OnNodes && !IsFilledOnDemand ? ImageState.Unknown
        : Presence == Presence.Present && IsSameDigest == false ? ImageState.Differs
        : Presence == Presence.NotChecked ? ImageState.Swapped
        : IsFilledOnDemand ? ImageState.OnDemand
        : ImageState.Downstream;

    public void Add(ImageUse use)
    {
        _workloads.Add(use.Workload);
        if (use.Running is not { } running)
            return;
        if (use.Node is { } node)
            _nodes.Add(node);
        if (IsAt(Target, running))
            RunningTarget++;
        else
            RunningOriginal++;
    }

    /// <summary>Whether a Pod's image is a target, perhaps with the digest that <c>populate.gate.pinDigests</c> adds.</summary>
    public static bool IsAt(ImageReference? target, string running) =>
        target is not null
        && ImageReference.TryParse(running, out var parsed)
        && (
            parsed.WithDefaultTag() == target
            || target.Digest is null && parsed.Digest is not null && (parsed.Name, parsed.Tag) == (target.Name, target.Tag)
        );
}

/// <summary>Whether an image exists at its target.</summary>
internal enum Presence
{
    NotChecked,
    Present,
    Missing,
    Unknown,

    /// <summary>The target is a registry at each node's <c>localhost</c>, and this machine has none there.</summary>
    OnNodes,
}

/// <summary>The state of an image, worst first: the order of the report.</summary>
internal enum ImageState
{
    /// <summary>It is rewritten, and the target does not have it.</summary>
    Missing,

    /// <summary>The target could not be checked.</summary>
    Unknown,

    /// <summary>The target has another digest under that tag than the source.</summary>
    Differs,

    /// <summary>It is not rewritten.</summary>
    Unswapped,

    /// <summary>The target gets it from its upstream when it is pulled, unless it has it.</summary>
    OnDemand,

    /// <summary>It is rewritten; the target was not checked.</summary>
    Swapped,

    /// <summary>It is rewritten, and the target has it.</summary>
    Downstream,
}
