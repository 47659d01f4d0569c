using System.Runtime.CompilerServices;

namespace ProxySwapper.Admission;

/// <summary>
/// The parts of a Pod that the response depends on. If a key is repeated, the last value counts, as it does when the patch is applied:
/// earlier values are reset.
/// </summary>
internal sealed class PodSummary
{
    /// <summary>Maximum number of images, including those of repeated lists.</summary>
    public const int MaximumImages = 1000;

    /// <summary>Maximum number of names kept of one list; no Pod has as many.</summary>
    private const int MaximumNames = 1000;

    /// <summary>What an item of a list takes besides its text, in characters.</summary>
    private const int ItemLength = 32;

    // The start, in the images, of the last list read of each kind.
    private ListStarts _starts;

    // Most Pods have none, so the list is created on demand.
    private List<string>? _pullSecrets;

    public string Name { get; set; } = "";
    public string GenerateName { get; set; } = "";
    public string ServiceAccountName { get; set; } = "";

    /// <summary>Whether <c>spec.imagePullSecrets</c> exists, so that items can be added.</summary>
    public bool HasPullSecretList { get; private set; }
    public IReadOnlyList<string> PullSecrets => _pullSecrets ?? (IReadOnlyList<string>)[];
    public List<PodImage> Images { get; } = [];

    /// <summary>The names in <c>spec.schedulingGates</c>, or null if that list is missing.</summary>
    public List<string>? SchedulingGates { get; set; }

    public string NodeName { get; set; } = "";
    public string SchedulerName { get; set; } = "";
    public string PriorityClassName { get; set; } = "";

    /// <summary>The controller of the Pod, from its owner references, or null.</summary>
    public PodController? Controller { get; set; }

    /// <summary>True if the original images were restored when the Pod was released.</summary>
    public bool IsLeftOriginal { get; set; }

    /// <summary>True if there were more than <see cref="MaximumImages"/>; those beyond are not in <see cref="Images"/>.</summary>
    public bool HasTooManyImages { get; private set; }

    /// <summary>
    /// Whether <c>metadata</c>, <c>metadata.labels</c> and <c>metadata.annotations</c> exist, so that members can be added.
    /// </summary>
    public JsonNodeState Metadata { get; set; }
    public JsonNodeState Labels { get; set; }
    public JsonNodeState Annotations { get; set; }

    /// <summary>The value of the label that marks a rewritten Pod, or null.</summary>
    public string? PatchLabel { get; set; }

    /// <summary>The size of the Pod as JSON without escapes, in bytes.</summary>
    public long Size { get; set; }

    /// <summary>The size of all annotations as sent, in bytes.</summary>
    public long AnnotationsSize { get; set; }

    /// <summary>True for the mirror Pod of a static Pod, which kubelet owns.</summary>
    public bool IsMirror { get; set; }

    /// <summary>True if the Pod's label opts out.</summary>
    public bool IsOptedOut { get; set; }

    /// <summary>How many characters it keeps in memory, and as many as fit into what an item of a list takes besides.</summary>
    public long TextLength
    {
        get
        {
            var length = (long)Name.Length + GenerateName.Length + ServiceAccountName.Length + NodeName.Length;
            length += SchedulerName.Length + PriorityClassName.Length + (PatchLabel?.Length ?? 0);
            if (Controller is { } controller)
                length += controller.ApiVersion.Length + controller.Kind.Length + controller.Uid.Length;
            length += LengthOf(_pullSecrets) + LengthOf(SchedulingGates);
            foreach (var image in Images)
                length += ItemLength + image.Name.Length + image.Image.Length + (image.PullPolicy?.Length ?? 0);
            return length;
        }
    }

    public void ResetMetadata()
    {
        (Name, GenerateName, Labels, Annotations) = ("", "", JsonNodeState.Missing, JsonNodeState.Missing);
        Controller = null;
        ResetLabels();
        ResetAnnotations();
    }

    public void ResetLabels() => (PatchLabel, IsOptedOut) = (null, false);

    public void ResetAnnotations() => (IsMirror, IsLeftOriginal, AnnotationsSize) = (false, false, 0);

    public void ResetSpec()
    {
        ServiceAccountName = "";
        (NodeName, SchedulerName, PriorityClassName) = ("", "", "");
        SchedulingGates = null;
        ResetPullSecrets();
        foreach (var field in PodImageFields.OfSpec)
            ResetImages(field.Kind);
    }

    /// <summary>Starts the list of pull secrets, or records that there is none.</summary>
    public void ResetPullSecrets(bool isList = false)
    {
        HasPullSecretList = isList;
        // Not cleared, which would keep its memory.
        _pullSecrets = null;
    }

    public void AddPullSecret(string name)
    {
        if ((_pullSecrets ??= []).Count < MaximumNames)
            _pullSecrets.Add(name);
    }

    public void AddSchedulingGate(string name)
    {
        if (SchedulingGates!.Count < MaximumNames)
            SchedulingGates.Add(name);
    }

    /// <summary>Starts a list of images.</summary>
    public void ResetImages(PodImageKind kind) => _starts[(int)kind] = Images.Count;

    public void AddImage(PodImage image)
    {
        HasTooManyImages = Images.Count == MaximumImages;
        if (!HasTooManyImages)
            Images.Add(image);
    }

    /// <summary>
    /// Drops the images of repeated lists all at once: dropping them one by one would take quadratic time for a malicious body.
    /// </summary>
    public void DropOverwrittenImages()
    {
        var kept = 0;
        for (var index = 0; index < Images.Count; index++)
            if (index >= _starts[(int)Images[index].Kind])
                Images[kept++] = Images[index];
        Images.RemoveRange(kept, Images.Count - kept);
    }

    private static long LengthOf(List<string>? list)
    {
        var length = 0L;
        if (list is not null)
            foreach (var item in list)
                length += ItemLength + item.Length;
        return length;
    }

    /// <summary>An index for each kind of list.</summary>
    [InlineArray((int)PodImageKind.Volume + 1)]
    private struct ListStarts
    {
        private int _first;
    }
}

/// <summary>The state of an object to which members are to be added.</summary>
internal enum JsonNodeState
{
    /// <summary>Missing or null: the object has to be added.</summary>
    Missing,
    Object,

    /// <summary>Something else: API servers never send that, and no patch is certain to apply.</summary>
    Malformed,
}

/// <summary>The controller of a Pod: the owner reference with <c>controller: true</c>.</summary>
/// <param name="ApiVersion">Group and version, such as <c>apps/v1</c>; <c>v1</c> for the core group.</param>
/// <param name="Kind">Such as <c>ReplicaSet</c>.</param>
/// <param name="Uid">Distinguishes it from others of the same name.</param>
internal sealed record PodController(string ApiVersion, string Kind, string Uid)
{
    /// <summary>The group; empty for the core group.</summary>
    public ReadOnlySpan<char> Group => ApiVersion.IndexOf('/') is >= 0 and var slash ? ApiVersion.AsSpan(0, slash) : [];

    /// <summary>True for controllers that create Pods from a user's template and never check the images of existing Pods.</summary>
    public bool IsBuiltIn =>
        (ApiVersion, Kind)
            is
                ("apps/v1", "ReplicaSet" or "StatefulSet" or "DaemonSet")
                or
                ("batch/v1", "Job")
                or
                ("v1", "ReplicationController");
}
