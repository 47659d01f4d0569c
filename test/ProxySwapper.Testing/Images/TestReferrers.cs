using System.Text;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Testing.Images;

/// <summary>Manifests that refer to others, and the fallback tags that list them.</summary>
internal static class TestReferrers
{
    /// <summary>Adds an SBOM of a manifest.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="subject">The manifest, which need not exist.</param>
    /// <param name="number">SBOMs with other numbers have other bytes.</param>
    public static Descriptor AddSbom(InMemoryRegistry registry, string repository, Digest subject, int number = 0)
    {
        var config = registry.AddBlob(repository, "{}"u8.ToArray());
        var sbom = Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/spdx+json","layers":[],"""
                + $$$""" "annotations":{"number":"{{{number}}}"},"""
                + $$$""" "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{{config.Digest}}}","size":2},"""
                + $$$""" "subject":{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{subject}}}","size":7}}"""
        );
        return registry.AddManifest(repository, MediaTypes.OciManifest, sbom);
    }

    /// <summary>Adds an index of manifests under a tag.</summary>
    public static Descriptor AddIndex(InMemoryRegistry registry, string repository, string tag, params IEnumerable<Descriptor> manifests)
    {
        var entries = manifests.Select(entry =>
            $$"""{"mediaType":"{{entry.MediaType}}","digest":"{{entry.Digest}}","size":{{entry.Size}}}"""
        );
        var index = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', entries)}}]}""";
        return registry.AddManifest(repository, MediaTypes.OciIndex, Encoding.UTF8.GetBytes(index), tag);
    }

    /// <summary>The digests that the index under a tag lists.</summary>
    public static IEnumerable<Digest> List(InMemoryRegistry registry, string repository, string tag) =>
        ManifestReferences.Read(registry.Repository(repository).Find(tag)!).Children.Select(child => child.Digest);
}
