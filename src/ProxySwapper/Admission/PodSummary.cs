namespace ProxySwapper.Admission;

/// <summary>The few parts of a Pod that an answer depends on.</summary>
internal sealed class PodSummary
{
    public string Name { get; set; } = "";
    public string GenerateName { get; set; } = "";
    public string ServiceAccountName { get; set; } = "";
    public List<string> PullSecrets { get; } = [];
    public List<ImageSlot> Images { get; } = [];

    /// <summary>Whether <c>metadata</c>, <c>metadata.labels</c> and <c>metadata.annotations</c> are there to be added to.</summary>
    public JsonPlace Metadata { get; set; }
    public JsonPlace Labels { get; set; }
    public JsonPlace Annotations { get; set; }

    /// <summary>The value of the label that marks a rewritten Pod, or null when it has none.</summary>
    public string? PatchLabel { get; set; }

    /// <summary>The keys of our annotations that are there.</summary>
    public HashSet<string> OriginalImageKeys { get; } = [];

    /// <summary>A static Pod, which kubelet owns: the API server only mirrors it.</summary>
    public bool IsMirror { get; set; }

    /// <summary>The Pod's label asks to be left alone.</summary>
    public bool IsOptedOut { get; set; }
}

/// <summary>What stands at a place that must be an object before members can be added to it.</summary>
internal enum JsonPlace
{
    /// <summary>Nothing, or null: the object has to be made.</summary>
    Missing,
    Object,

    /// <summary>Something else: no API server sends that, and no patch of ours would be sure to apply.</summary>
    Malformed,
}
