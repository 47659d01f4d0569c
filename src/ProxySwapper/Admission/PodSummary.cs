using System.Runtime.CompilerServices;

namespace ProxySwapper.Admission;

/// <summary>
/// The parts of a Pod that an answer depends on. Where a key is repeated the last value counts, as it does for whoever applies the
/// patch: what was read before is reset.
/// </summary>
internal sealed class PodSummary
{
    /// <summary>As many images as a Pod may have, with those of lists that came again.</summary>
    public const int MaximumImages = 1000;

    // Where in the images each list begins that was read last.
    private ListStarts _starts;

    // Most Pods have none, and then there is no list.
    private List<string>? _pullSecrets;

    public string Name { get; set; } = "";
    public string GenerateName { get; set; } = "";
    public string ServiceAccountName { get; set; } = "";

    /// <summary>Whether <c>spec.imagePullSecrets</c> is there to be added to.</summary>
    public bool HasPullSecretList { get; private set; }
    public IReadOnlyList<string> PullSecrets => _pullSecrets ?? (IReadOnlyList<string>)[];
    public List<PodImage> Images { get; } = [];

    /// <summary>The names in <c>spec.schedulingGates</c>, or null where that list is missing.</summary>
    public List<string>? SchedulingGates { get; set; }

    public string NodeName { get; set; } = "";
    public string SchedulerName { get; set; } = "";
    public string PriorityClassName { get; set; } = "";

    /// <summary>The controller of the Pod, as its owner references name it; null where it has none.</summary>
    public PodController? Controller { get; set; }

    /// <summary>Original images were put back when the Pod was let go.</summary>
    public bool IsLeftOriginal { get; set; }

    /// <summary>There were more than <see cref="MaximumImages"/>; those beyond are not in <see cref="Images"/>.</summary>
    public bool HasTooManyImages { get; private set; }

    /// <summary>Whether <c>metadata</c>, <c>metadata.labels</c> and <c>metadata.annotations</c> are there to be added to.</summary>
    public JsonNodeState Metadata { get; set; }
    public JsonNodeState Labels { get; set; }
    public JsonNodeState Annotations { get; set; }

    /// <summary>The value of the label that marks a rewritten Pod, or null when it has none.</summary>
    public string? PatchLabel { get; set; }

    /// <summary>The size of the whole as JSON without escapes, in bytes.</summary>
    public long Size { get; set; }

    /// <summary>The size of all annotations as they were sent, in bytes.</summary>
    public long AnnotationsSize { get; set; }

    /// <summary>A static Pod, which kubelet owns: the API server only mirrors it.</summary>
    public bool IsMirror { get; set; }

    /// <summary>The Pod's label asks to leave it unchanged.</summary>
    public bool IsOptedOut { get; set; }

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

    /// <summary>The list of pull secrets begins, or is not there.</summary>
    public void ResetPullSecrets(bool isList = false)
    {
        HasPullSecretList = isList;
        _pullSecrets?.Clear();
    }

    public void AddPullSecret(string name) => (_pullSecrets ??= []).Add(name);

    /// <summary>A list of images begins.</summary>
    public void ResetImages(PodImageKind kind) => _starts[(int)kind] = Images.Count;

    public void AddImage(PodImage image)
    {
        HasTooManyImages = Images.Count == MaximumImages;
        if (!HasTooManyImages)
            Images.Add(image);
    }

    /// <summary>
    /// Drops the images of lists that came again, all at once: one by one it would cost the square of a body made for that.
    /// </summary>
    public void DropOverwrittenImages()
    {
        var kept = 0;
        for (var index = 0; index < Images.Count; index++)
            if (index >= _starts[(int)Images[index].Kind])
                Images[kept++] = Images[index];
        Images.RemoveRange(kept, Images.Count - kept);
    }

    /// <summary>A number for each kind of list.</summary>
    [InlineArray((int)PodImageKind.Volume + 1)]
    private struct ListStarts
    {
        private int _first;
    }
}

/// <summary>What stands where an object must be before members can be added to it.</summary>
internal enum JsonNodeState
{
    /// <summary>Nothing, or null: the object has to be added.</summary>
    Missing,
    Object,

    /// <summary>Something else: no API server sends that, and no patch would be sure to apply.</summary>
    Malformed,
}
