namespace ProxySwapper.Management;

/// <summary>A page of the management port.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Answer">Handles GET and HEAD.</param>
/// <param name="IsOpen">True if it never requires the <see cref="ManagementToken"/>, which probes and scrapes do not have.</param>
internal sealed record ManagementEndpoint(string Path, RequestDelegate Answer, bool IsOpen = false);
