namespace ProxySwapper.Reporting;

/// <summary>One image of a Pod template, or of a Pod.</summary>
/// <param name="Image">The original image: for a rewritten Pod, from its annotation.</param>
/// <param name="Running">The current image of a Pod; null for a template.</param>
/// <param name="Node">The node of the Pod, or null.</param>
/// <param name="Workload">The workload that uses it.</param>
/// <param name="IsOptedOut">True if the Pod has the opt-out label.</param>
internal sealed record ImageUse(string Image, string? Running, string? Node, Workload Workload, bool IsOptedOut);
