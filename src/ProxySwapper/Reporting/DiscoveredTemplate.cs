using ProxySwapper.Kubernetes;

namespace ProxySwapper.Reporting;

/// <summary>A kind of object that may contain a Pod template.</summary>
/// <param name="Type">How it is listed.</param>
/// <param name="Kind">Such as <c>Deployment</c>.</param>
/// <param name="Path">Where the template is.</param>
/// <param name="IsCustom">True if only some of its objects, or none, may have one.</param>
internal sealed record DiscoveredTemplate(ResourceType Type, string Kind, IReadOnlyList<string> Path, bool IsCustom);
