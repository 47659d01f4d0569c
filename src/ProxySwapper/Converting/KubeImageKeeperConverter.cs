using System.Text.Json.Nodes;

namespace ProxySwapper.Converting;

/// <summary>
/// kube-image-keeper's values (version 1; version 2's <c>configuration</c>) and its objects: (Cluster)ImageSetMirror of version 2,
/// ImageMirror of version 3 (<see href="https://kuik.enix.io"/>).
/// </summary>
/// <param name="target">Where images go: version 1 has its own registry in the cluster.</param>
internal sealed class KubeImageKeeperConverter(ForeignTarget target)
{
    private readonly KubeImageKeeperResult _result = new();

    public JsonObject Convert(IReadOnlyList<ForeignSection> documents)
    {
        foreach (var document in documents)
        {
            _result.Exclusions.BeginObject();
            if (document.Has("apiVersion") && document.Has("kind"))
                ConvertObject(document);
            else
                KubeImageKeeperValues.Convert(document, target, _result);
        }
        return _result.ToJson();
    }

    private void ConvertObject(ForeignSection item)
    {
        item.Skip("apiVersion", "metadata", "status");
        var kind = item.String("kind");
        var spec = item.Section("spec");
        switch (kind)
        {
            case "ClusterImageSetMirror" or "ImageSetMirror" when spec is not null:
                var own = kind == "ImageSetMirror" ? item.Section("metadata")?.String("namespace") ?? "default" : null;
                ImageSetMirrorConverter.Convert(spec, own, _result);
                break;
            case "ImageMirror" when spec is not null:
                ImageMirrorConverter.Convert(spec, _result);
                break;
            case "ClusterReplicatedImageSet" or "ReplicatedImageSet" or "ImageAlternative":
                item.LeaveOut(
                    "kind",
                    $"{kind} has no counterpart: a rule has one target, and Pods keep the images that cannot be copied there"
                );
                break;
            case "ClusterImageSetAvailability" or "ImageMonitor":
                item.LeaveOut(
                    "kind",
                    $"{kind} has no counterpart: sources are not watched; proxyswapper report lists images that are missing at their target"
                );
                break;
            default:
                item.LeaveOut("kind", $"{kind} is created by the operator and not needed");
                break;
        }
    }
}
