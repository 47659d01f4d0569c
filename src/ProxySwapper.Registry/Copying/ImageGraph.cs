namespace ProxySwapper.Registry.Copying;

/// <summary>What is to be written for one image: the manifest that the tags will point at, and all manifests below it.</summary>
/// <param name="Root">The manifest under the tags.</param>
/// <param name="Below">Everything below, children before parents.</param>
internal sealed record ImageGraph(ManifestNode Root, IReadOnlyList<ManifestNode> Below)
{
    public IEnumerable<ManifestNode> Manifests => Below.Append(Root);
}
