namespace ProxySwapper.Registry.Oci;

/// <summary>
/// A manifest's description of one piece of content
/// (<see href="https://github.com/opencontainers/image-spec/blob/main/descriptor.md">OCI image-spec, Content Descriptors</see>).
/// </summary>
/// <param name="MediaType">The content's media type, without parameters.</param>
/// <param name="Digest">The digest of the content's bytes.</param>
/// <param name="Size">The content's length in bytes.</param>
public sealed record Descriptor(string MediaType, Digest Digest, long Size)
{
    /// <summary>The platform that a child of an index is for, or null.</summary>
    public Platform? Platform { get; init; }

    /// <summary>The artifact type, in responses of the referrers API, or null.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The annotations; empty if there are none.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } =
        System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    /// <summary>Download URLs of foreign content; empty for content of the registry itself.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>The content itself if it is inline, or null.</summary>
    public ReadOnlyMemory<byte>? Data { get; init; }

    /// <summary>True for layers that registries do not store (foreign, non-distributable), which are left unchanged.</summary>
    public bool IsForeign =>
        Urls.Count > 0
        && (MediaType.Contains("foreign", StringComparison.Ordinal) || MediaType.Contains("nondistributable", StringComparison.Ordinal));
}
