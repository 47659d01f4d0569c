using System.Text;

namespace ProxySwapper.Kubernetes;

/// <summary>Selects the objects of one kind for a list or a watch.</summary>
/// <param name="Type">Their kind.</param>
/// <param name="Namespace">One namespace, or null for all.</param>
internal sealed record ResourceQuery(ResourceType Type, string? Namespace = null)
{
    /// <summary>Pods that have not terminated, including those that cannot start for lack of an image.</summary>
    /// <param name="namespace">One namespace, or null for all.</param>
    /// <param name="labelSelector">A label selector.</param>
    public static ResourceQuery LivePods(string? @namespace, string labelSelector) =>
        new(ResourceType.Pods, @namespace)
        {
            LabelSelector = labelSelector,
            FieldSelector = "status.phase!=Succeeded,status.phase!=Failed",
        };

    /// <summary>A label selector such as <c>key=value</c>, or null for any.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>A field selector such as <c>spec.nodeName=</c>, or null for any.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Path and query string, with additional parameters after the selectors.</summary>
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
