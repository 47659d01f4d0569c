namespace ProxySwapper.Admission;

/// <summary>
/// What a Pod and its patch may weigh: an API server answers with an error, whatever the failure policy says, where a patch makes a Pod
/// larger than it or etcd takes.
/// </summary>
internal static class PodSize
{
    /// <summary>The size of all keys and values of a Pod's annotations above which an API server refuses it.</summary>
    private const int MaximumAnnotations = 256 * 1024;

    /// <summary>etcd's default <c>--max-request-bytes</c>, less what the API server adds of its own.</summary>
    private const int MaximumPod = 3 * 512 * 1024 - 8 * 1024;

    /// <summary>What a label or annotation takes besides its text; its key is in <c>managedFields</c> once more.</summary>
    private const int EntryOverhead = 32;

    /// <summary>How much of a patch there is room for. Counts generously: the Pod as JSON, which is stored as less.</summary>
    public static PatchRoom RoomFor(PodSummary pod, ReadOnlySpan<PodImageDecision> images)
    {
        var (replaced, kept) = (4L * EntryOverhead, 0L);
        foreach (var image in images)
        {
            if (image.Decision.Target is { } target)
                replaced += Math.Max(0, target.ToString().Length - image.Place.Image.Length);
            if (image.Decision is { IsRewritten: true, PullSecret: { } secret })
                replaced += secret.Length + EntryOverhead;
            if (image.CanKeepOriginal)
                kept +=
                    2 * (image.Place.Field.AnnotationPrefix.Length + image.Place.Name.Length) + image.Place.Image.Length + EntryOverhead;
        }
        if (pod.Size + replaced > MaximumPod)
            return PatchRoom.None;
        return pod.AnnotationsSize + kept > MaximumAnnotations || pod.Size + replaced + kept > MaximumPod
            ? PatchRoom.Images
            : PatchRoom.Everything;
    }

    /// <summary>The size of JSON with its escapes decoded: Go writes <c>&lt;</c>, for instance, in six bytes.</summary>
    public static long Decoded(ReadOnlySpan<byte> json)
    {
        // Of what is small enough with its escapes they need not be counted.
        if (json.Length < MaximumPod / 2)
            return json.Length;
        long size = json.Length;
        for (int at; (at = json.IndexOf((byte)'\\')) >= 0 && at + 1 < json.Length; )
        {
            var isAscii = json[(at + 1)..] is [(byte)'u', (byte)'0', (byte)'0', >= (byte)'0' and <= (byte)'7', _, ..];
            size -= isAscii ? 5 : 1;
            json = json[(at + (isAscii ? 6 : 2))..];
        }
        return size;
    }
}

/// <summary>How much of a patch a Pod has room for.</summary>
internal enum PatchRoom
{
    None,

    /// <summary>Images and labels, but no annotations with the original images.</summary>
    Images,
    Everything,
}
