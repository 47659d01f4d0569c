using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Reads an image with everything below it. Everything is requested by digest, so that a tag that moves in the meantime has no effect. The
/// budget limits the total read.
/// </summary>
internal sealed class ImageGraphReader(RepositoryClient source, ManifestBudget budget)
{
    private const int MaxDepth = 8;
    private const int MaxManifests = 10_000;
    private const int ParallelReads = 4;

    /// <summary>Reads the whole image of a digest.</summary>
    /// <exception cref="CopyException">The image cannot be copied.</exception>
    public async Task<ImageGraph> ReadAsync(Digest digest, CancellationToken cancellationToken) =>
        await ReadAsync(await source.GetManifestAsync(digest.ToString(), cancellationToken), [], default, cancellationToken);

    /// <summary>Reads the image of a manifest or, with platforms, what to write for those.</summary>
    /// <exception cref="CopyException">The image cannot be copied as requested.</exception>
    public async Task<ImageGraph> ReadAsync(
        Manifest manifest,
        IReadOnlyList<Platform> platforms,
        PlatformSubset subset,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadSubsetAsync(manifest, platforms, subset, cancellationToken);
        }
        catch (CopyException fault)
        {
            // The platforms of an index are texts of the registry.
            throw new CopyException(source.Client.Show(fault.Message), fault);
        }
    }

    private async Task<ImageGraph> ReadSubsetAsync(
        Manifest manifest,
        IReadOnlyList<Platform> platforms,
        PlatformSubset subset,
        CancellationToken cancellationToken
    )
    {
        var root = Read(manifest);
        if (platforms.Count == 0 || !root.IsIndex)
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
                        $"{manifest.Digest} has {images.Count} manifests for {string.Join(", ", platforms)}; "
                            + "only a single one can be written without an index"
                    );
                var flat = await ReadAsync(images[0], cancellationToken);
                return await ReadBelowAsync(flat, flat.Children, cancellationToken);
            default:
                if (chosen.Count == root.Children.Count)
                    return await ReadBelowAsync(root, chosen, cancellationToken);
                var reduced = await ReadBelowAsync(Read(PlatformIndex.Write(manifest, chosen)), chosen, cancellationToken);
                return reduced with { IsReduced = true };
        }
    }

    private async Task<ImageGraph> ReadBelowAsync(
        ManifestReferences root,
        IReadOnlyList<Descriptor> children,
        CancellationToken cancellationToken
    )
    {
        var nodes = new Dictionary<Digest, ManifestReferences>();
        var level = children;
        for (var depth = 0; level.Count > 0; depth++)
        {
            if (depth == MaxDepth)
                throw new CopyException($"{root.Manifest.Digest} has indexes nested deeper than {MaxDepth}");
            var unread = level.DistinctBy(child => child.Digest).Where(child => !nodes.ContainsKey(child.Digest)).ToList();
            if (nodes.Count + unread.Count > MaxManifests)
                throw new CopyException($"{root.Manifest.Digest} has more than {MaxManifests} manifests below it");
            var read = await ReadLevelAsync(unread, cancellationToken);
            foreach (var node in read)
                nodes[node.Manifest.Digest] = node;
            level = [.. read.SelectMany(node => node.Children)];
        }
        var order = new List<ManifestReferences>(nodes.Count);
        var placed = new HashSet<Digest>();
        foreach (var child in children)
            Place(child.Digest);
        return new ImageGraph(root, order);

        // A manifest comes after everything it names; it cannot contain its own hash.
        void Place(Digest digest)
        {
            if (!placed.Add(digest))
                return;
            foreach (var child in nodes[digest].Children)
                Place(child.Digest);
            order.Add(nodes[digest]);
        }
    }

    private async Task<ManifestReferences[]> ReadLevelAsync(List<Descriptor> children, CancellationToken cancellationToken)
    {
        // A declared size over the limit is not requested; a wrong declaration is detected while reading.
        budget.Check(source, children.Sum(child => child.Size));
        var nodes = new ManifestReferences[children.Count];
        await Parallel.ForAsync(
            0,
            children.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = cancellationToken },
            async (index, token) => nodes[index] = await ReadAsync(children[index], token)
        );
        return nodes;
    }

    private async Task<ManifestReferences> ReadAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        Read(await source.GetManifestAsync(descriptor.Digest.ToString(), cancellationToken));

    private ManifestReferences Read(Manifest manifest)
    {
        budget.Spend(source, manifest.Bytes.Length);
        try
        {
            return ManifestReferences.Read(manifest);
        }
        catch (FormatException fault)
        {
            throw new CopyException($"{source.Registry}/{source.Repository}: {fault.Message}", fault);
        }
    }
}

/// <summary>What to write for one image: the manifest that the tags will point at, and all manifests below it.</summary>
/// <param name="Root">The manifest under the tags.</param>
/// <param name="Below">All manifests below, children before parents.</param>
internal sealed record ImageGraph(ManifestReferences Root, IReadOnlyList<ManifestReferences> Below)
{
    public IEnumerable<ManifestReferences> Manifests => Below.Append(Root);

    /// <summary>Whether the root is an index of fewer platforms, which the source does not have.</summary>
    public bool IsReduced { get; init; }

    /// <summary>The manifests that the source has.</summary>
    public IEnumerable<ManifestReferences> OfSource => IsReduced ? Below : Manifests;
}
