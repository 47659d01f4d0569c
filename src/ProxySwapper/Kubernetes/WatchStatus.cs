namespace ProxySwapper.Kubernetes;

/// <summary>Whether a watch is connected.</summary>
/// <param name="IsConnected">Everything was listed, and the server sends what changes.</param>
/// <param name="Since">Since when that is so.</param>
/// <param name="Error">Why not, or null.</param>
internal sealed record WatchStatus(bool IsConnected, DateTimeOffset Since, string? Error);
