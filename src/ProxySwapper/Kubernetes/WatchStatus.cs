namespace ProxySwapper.Kubernetes;

/// <summary>Whether a watch is connected.</summary>
/// <param name="IsConnected">True if everything was listed and the server is sending changes.</param>
/// <param name="Since">The time of the last change of that.</param>
/// <param name="Error">Why it is not connected, or null.</param>
internal sealed record WatchStatus(bool IsConnected, DateTimeOffset Since, string? Error);
