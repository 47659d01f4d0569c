using System.Runtime.CompilerServices;

namespace ProxySwapper.Admission;

/// <summary>
/// The few parts of a Pod that an answer depends on. Of a member that is there twice the last one counts, as for whoever applies the
/// patch: what was read of it before is forgotten.
/// </summary>
internal sealed class PodSummary
{
    /// <summary>As many images as a Pod may have, with those of lists that came again.</summary>
    public const int MaximumImages = 1000;

    // Where in the images each list begins that was read last.
    private ListStarts _starts;

    // Most Pods have neither, and then there is no list.
    private List<string>? _pullSecrets;
    private HashSet<string>? _originalImageKeys;

    public string Name { get; set; } = "";
    public string GenerateName { get; set; } = "";
    public string ServiceAccountName { get; set; } = "";
    public IReadOnlyList<string> PullSecrets => _pullSecrets ?? (IReadOnlyList<string>)[];
    public List<PodImage> Images { get; } = [];

    /// <summary>There were more than <see cref="MaximumImages"/>, and what is beyond is not in <see cref="Images"/>.</summary>
    public bool HasTooManyImages { get; private set; }

    /// <summary>Whether <c>metadata</c>, <c>metadata.labels</c> and <c>metadata.annotations</c> are there to be added to.</summary>
    public JsonNodeState Metadata { get; set; }
    public JsonNodeState Labels { get; set; }
    public JsonNodeState Annotations { get; set; }

    /// <summary>The value of the label that marks a rewritten Pod, or null when it has none.</summary>
    public string? PatchLabel { get; set; }

    /// <summary>The size of all annotations as they were sent, in bytes.</summary>
    public long AnnotationsSize { get; set; }

    /// <summary>A static Pod, which kubelet owns: the API server only mirrors it.</summary>
    public bool IsMirror { get; set; }

    /// <summary>The Pod's label asks to be left alone.</summary>
    public bool IsOptedOut { get; set; }

    public void ForgetMetadata()
    {
        (Name, GenerateName, Labels, Annotations) = ("", "", JsonNodeState.Missing, JsonNodeState.Missing);
        ForgetLabels();
        ForgetAnnotations();
    }

    public void ForgetLabels() => (PatchLabel, IsOptedOut) = (null, false);

    public void ForgetAnnotations()
    {
        (IsMirror, AnnotationsSize) = (false, 0);
        _originalImageKeys?.Clear();
    }

    public void ForgetSpec()
    {
        ServiceAccountName = "";
        ForgetPullSecrets();
        StartImages(PodImageKind.Container);
        StartImages(PodImageKind.InitContainer);
        StartImages(PodImageKind.EphemeralContainer);
        StartImages(PodImageKind.Volume);
    }

    public void ForgetPullSecrets() => _pullSecrets?.Clear();

    public void AddPullSecret(string name) => (_pullSecrets ??= []).Add(name);

    /// <summary>One of our annotations is there, by its key.</summary>
    public void AddOriginalImage(string key) => (_originalImageKeys ??= []).Add(key);

    /// <summary>Whether the annotation is there that keeps the image of a place as it was written.</summary>
    public bool HasOriginalImage(PodImage slot) =>
        _originalImageKeys is not null && WellKnownLabels.OriginalImageKey(slot) is { } key && _originalImageKeys.Contains(key);

    /// <summary>A list of images begins.</summary>
    public void StartImages(PodImageKind kind) => _starts[(int)kind] = Images.Count;

    public void AddImage(PodImage slot)
    {
        HasTooManyImages = Images.Count == MaximumImages;
        if (!HasTooManyImages)
            Images.Add(slot);
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

/// <summary>What stands at a place that must be an object before members can be added to it.</summary>
internal enum JsonNodeState
{
    /// <summary>Nothing, or null: the object has to be made.</summary>
    Missing,
    Object,

    /// <summary>Something else: no API server sends that, and no patch of ours would be sure to apply.</summary>
    Malformed,
}
