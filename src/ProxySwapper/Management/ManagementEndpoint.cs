namespace ProxySwapper.Management;

/// <summary>A page of the management port.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Answer">Answers GET and HEAD.</param>
/// <param name="IsOpen">It never asks for the <see cref="ManagementToken"/>: probes and scrapes have none.</param>
internal sealed record ManagementEndpoint(string Path, RequestDelegate Answer, bool IsOpen = false);
