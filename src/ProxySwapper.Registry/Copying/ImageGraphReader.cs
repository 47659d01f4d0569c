using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Reads an image with everything below it. All is asked for by digest, so that a tag which moves meanwhile changes nothing.
/// </summary>
internal sealed class ImageGraphReader(RegistryClient source, string repository)
{
    private const int MaximumDepth = 8;
    private const int MaximumManifests = 10_000;
    private const int ParallelReads = 4;

    /// <summary>The image of a digest; with platforms, what is written for those.</summary>
    /// <exception cref="CopyException">It cannot be copied so.</exception>
    public async Task<ImageGraph> ReadAsync(
        Digest digest,
        IReadOnlyList<Platform> platforms,
        PlatformSubset subset,
        CancellationToken cancellationToken
    )
    {
        var root = await ReadNodeAsync(digest, cancellationToken);
        if (platforms.Count == 0 || root.Children.Count == 0)
            return await ReadBelowAsync(root, root.Children, cancellationToken);
        var chosen = PlatformIndex.Choose(root, platforms);
        switch (subset)
        {
            case PlatformSubset.Sparse:
                return await ReadBelowAsync(root, chosen, cancellationToken);
            case PlatformSubset.Flatten:
                var images = chosen.Where(child => child.Platform is { OperatingSystem: not "unknown" }).ToList();
                if (images.Count != 1)
                    throw new CopyException(
                        $"{digest} has {images.Count} manifests for {string.Join(", ", platforms)}; one alone can be written "
                            + "without an index"
                    );
                var flat = await ReadNodeAsync(images[0].Digest, cancellationToken);
                return await ReadBelowAsync(flat, flat.Children, cancellationToken);
            default:
                if (chosen.Count == root.Children.Count)
                    return await ReadBelowAsync(root, chosen, cancellationToken);
                return await ReadBelowAsync(ManifestNode.Read(PlatformIndex.Write(root.Content, chosen)), chosen, cancellationToken);
        }
    }

    private async Task<ImageGraph> ReadBelowAsync(
        ManifestNode root,
        IReadOnlyList<Descriptor> children,
        CancellationToken cancellationToken
    )
    {
        var nodes = new Dictionary<Digest, ManifestNode>();
        var level = children;
        for (var depth = 0; level.Count > 0; depth++)
        {
            if (depth == MaximumDepth)
                throw new CopyException($"{root.Content.Digest} has indexes nested deeper than {MaximumDepth}");
            var unread = level.DistinctBy(child => child.Digest).Where(child => !nodes.ContainsKey(child.Digest)).ToList();
            if (nodes.Count + unread.Count > MaximumManifests)
                throw new CopyException($"{root.Content.Digest} has more than {MaximumManifests} manifests below it");
            var read = await ReadLevelAsync(unread, cancellationToken);
            foreach (var node in read)
                nodes[node.Content.Digest] = node;
            level = [.. read.SelectMany(node => node.Children)];
        }
        var order = new List<ManifestNode>(nodes.Count);
        var placed = new HashSet<Digest>();
        foreach (var child in children)
            Place(child.Digest);
        return new ImageGraph(root, order);

        // A manifest comes behind all that it names; that it names itself is beyond what a hash can do.
        void Place(Digest digest)
        {
            if (!placed.Add(digest))
                return;
            foreach (var child in nodes[digest].Children)
                Place(child.Digest);
            order.Add(nodes[digest]);
        }
    }

    private async Task<ManifestNode[]> ReadLevelAsync(List<Descriptor> children, CancellationToken cancellationToken)
    {
        var nodes = new ManifestNode[children.Count];
        await Parallel.ForAsync(
            0,
            children.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = cancellationToken },
            async (index, token) => nodes[index] = await ReadNodeAsync(children[index].Digest, token)
        );
        return nodes;
    }

    private async Task<ManifestNode> ReadNodeAsync(Digest digest, CancellationToken cancellationToken) =>
        ManifestNode.Read(await source.GetManifestAsync(repository, digest.ToString(), cancellationToken));
}
