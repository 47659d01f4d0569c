namespace ProxySwapper.Management;

/// <summary>A page of the management port, by its path.</summary>
internal sealed record ManagementEndpoint(string Path, RequestDelegate Answer);
