namespace ProxySwapper.Reporting;

/// <summary>One image of a Pod template, or of a Pod.</summary>
/// <param name="Image">The image as its owner wrote it: of a rewritten Pod, what the annotation kept.</param>
/// <param name="Running">The image that a Pod uses now; null for a template.</param>
/// <param name="Node">The node of the Pod, or null.</param>
/// <param name="Workload">Who names it.</param>
/// <param name="IsOptedOut">The Pod has the label that keeps the webhook away.</param>
internal sealed record ImageUse(string Image, string? Running, string? Node, Workload Workload, bool IsOptedOut);
