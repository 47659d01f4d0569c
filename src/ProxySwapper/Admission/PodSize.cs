namespace ProxySwapper.Admission;

/// <summary>
/// Size limits of a Pod with its patch: if a patch makes a Pod larger than the API server or etcd accepts, the request fails whatever the
/// failure policy.
/// </summary>
internal static class PodSize
{
    /// <summary>The API server's limit on the total size of annotation keys and values.</summary>
    private const int MaximumAnnotations = 256 * 1024;

    /// <summary>etcd's default <c>--max-request-bytes</c>, less what the API server adds.</summary>
    private const int MaximumPod = 3 * 512 * 1024 - 8 * 1024;

    /// <summary>Overhead of a label or annotation; its key is repeated in <c>managedFields</c>.</summary>
    private const int EntryOverhead = 32;

    /// <summary>How much of a patch fits. Estimates high: it counts the Pod as JSON, which is stored more compactly.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="images">The decisions on its images.</param>
    /// <param name="isGated">Whether annotations keep the new images too.</param>
    public static PatchBudget BudgetFor(PodSummary pod, ReadOnlySpan<PodImageDecision> images, bool isGated = false)
    {
        var (replaced, kept) = (4L * EntryOverhead, 0L);
        foreach (var image in images)
        {
            if (image.Decision.Target is { } target)
                replaced += Math.Max(0, target.ToString().Length - image.PodImage.Image.Length);
            if (image.Decision is { IsRewritten: true, PullSecret: { } secret })
                replaced += secret.Length + EntryOverhead;
            if (image.CanKeepOriginal)
                kept += SizeOf(image.PodImage.Field.AnnotationPrefix, image.PodImage.Name, image.PodImage.Image);
            if (isGated && image.CanKeepOriginal)
                kept += SizeOf(GateLabels.GatedImagePrefix, image.PodImage.Name, image.Decision.Target!.ToString());
        }
        if (pod.Size + replaced > MaximumPod)
            return PatchBudget.None;
        return pod.AnnotationsSize + kept > MaximumAnnotations || pod.Size + replaced + kept > MaximumPod
            ? PatchBudget.Images
            : PatchBudget.Everything;
    }

    private static long SizeOf(string prefix, string name, string value) =>
        2 * (prefix.Length + name.Length) + value.Length + EntryOverhead;

    /// <summary>The size of JSON with its escapes decoded: Go writes <c>&lt;</c> in six bytes.</summary>
    public static long Decoded(ReadOnlySpan<byte> json)
    {
        // If it is small enough with escapes, there is no need to count them.
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

/// <summary>How much of a patch fits into a Pod.</summary>
internal enum PatchBudget
{
    None,

    /// <summary>Images and labels, but not the annotations with the original images.</summary>
    Images,
    Everything,
}
