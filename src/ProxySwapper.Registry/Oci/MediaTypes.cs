namespace ProxySwapper.Registry.Oci;

/// <summary>
/// The media types of manifests
/// (<see href="https://github.com/opencontainers/image-spec/blob/main/media-types.md">OCI image-spec, Media Types</see>).
/// </summary>
public static class MediaTypes
{
    /// <summary>One platform's image, OCI.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>An index of manifests, OCI.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>One platform's image, Docker schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>A list of manifests, Docker.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker schema 1, unsigned; rejected, since it cannot be copied with its digest.</summary>
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <summary>Docker schema 1, signed; rejected.</summary>
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>All supported media types for an Accept header, so that one request is enough.</summary>
    public static readonly IReadOnlyList<string> Manifests = [OciIndex, OciManifest, DockerManifestList, DockerManifest];

    /// <summary>True for an index and a manifest list: content that references other manifests.</summary>
    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerManifestList;
}
