using System.Text;

namespace ProxySwapper.Kubernetes;

/// <summary>Which objects of one kind a list or a watch is about.</summary>
/// <param name="Type">Their kind.</param>
/// <param name="Namespace">One namespace, or null for all.</param>
internal sealed record ResourceQuery(ResourceType Type, string? Namespace = null)
{
    /// <summary>Pods that have not ended: those that cannot start for want of an image are among them.</summary>
    /// <param name="namespace">One namespace, or null for all.</param>
    /// <param name="labelSelector">Labels that they have.</param>
    public static ResourceQuery LivePods(string? @namespace, string labelSelector) =>
        new(ResourceType.Pods, @namespace)
        {
            LabelSelector = labelSelector,
            FieldSelector = "status.phase!=Succeeded,status.phase!=Failed",
        };

    /// <summary>Labels that they have, for instance <c>key=value</c>, or null for any.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Fields that they have, for instance <c>spec.nodeName=</c>, or null for any.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Path and query string, with more parameters behind the selectors.</summary>
    public string ToPath(params ReadOnlySpan<(string Name, string? Value)> more)
    {
        var path = new StringBuilder(Type.CollectionPath(Namespace));
        var separator = '?';
        foreach (
            var (name, value) in (ReadOnlySpan<(string, string?)>)
                [.. more, ("labelSelector", LabelSelector), ("fieldSelector", FieldSelector)]
        )
        {
            if (value is null)
                continue;
            path.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return path.ToString();
    }
}
