using System.Collections.Concurrent;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.InMemory;

/// <summary>One repository of an <see cref="InMemoryRegistry"/>.</summary>
internal sealed class InMemoryRegistryRepository
{
    public ConcurrentDictionary<Digest, ReadOnlyMemory<byte>> Blobs { get; } = new();

    public ConcurrentDictionary<Digest, Manifest> Manifests { get; } = new();

    public ConcurrentDictionary<string, Digest> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Open upload sessions by name, with the bytes received so far.</summary>
    public ConcurrentDictionary<string, MemoryStream> Uploads { get; } = new(StringComparer.Ordinal);

    /// <summary>The manifest of a tag or digest, or null.</summary>
    public Manifest? Find(string reference) =>
        (Digest.TryParse(reference, out var digest) || Tags.TryGetValue(reference, out digest))
        && Manifests.TryGetValue(digest, out var manifest)
            ? manifest
            : null;
}
