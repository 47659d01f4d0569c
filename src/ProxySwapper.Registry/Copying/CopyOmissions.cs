using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>What a copy leaves out.</summary>
/// <param name="Source">The source's digest.</param>
public sealed record CopyOmissions(Digest Source)
{
    private const int MaxNamed = 5;

    /// <summary>Tags of cosign that differ at the target and stay, since they must not be overwritten.</summary>
    public IReadOnlyList<string> KeptTags { get; init; } = [];

    /// <summary>
    /// Referrers of the source itself, by digest, and cosign's tags for it: without platforms, the target has another digest. Empty without
    /// <see cref="CopyRequest.Referrers"/>.
    /// </summary>
    public IReadOnlyList<string> LeftReferrers { get; init; } = [];

    /// <summary>
    /// Layers that no registry stores, such as those of old Windows images; container runtimes download them from the URLs of their
    /// descriptors. Empty if the image was not read, since the target has it.
    /// </summary>
    public IReadOnlyList<Descriptor> ForeignLayers { get; init; } = [];

    /// <summary>Sentences about <see cref="LeftReferrers"/> and <see cref="ForeignLayers"/>.</summary>
    public IEnumerable<string> Sentences
    {
        get
        {
            if (LeftReferrers.Count > 0)
                yield return $"referrers of {Source} that were not copied, since the digest differs without some platforms: "
                    + Named(LeftReferrers);
            if (ForeignLayers.Count > 0)
                yield return "foreign layers that were not copied, which container runtimes download from URLs in the manifest: "
                    + Named([.. ForeignLayers.Select(layer => $"{layer.Digest}")]);
        }
    }

    private static string Named(IReadOnlyList<string> texts) =>
        string.Join(", ", texts.Take(MaxNamed)) + (texts.Count > MaxNamed ? $" and {texts.Count - MaxNamed} more" : "");
}
