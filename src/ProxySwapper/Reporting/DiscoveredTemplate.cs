using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>A kind of the cluster whose objects may hold a Pod template.</summary>
/// <param name="Type">How it is listed.</param>
/// <param name="Kind">For instance <c>Deployment</c>.</param>
/// <param name="Path">Where the template is.</param>
/// <param name="IsCustom">Whether only some of its objects, or none, have one.</param>
internal sealed record DiscoveredTemplate(ResourceType Type, string Kind, IReadOnlyList<string> Path, bool IsCustom);
