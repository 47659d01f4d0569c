namespace ProxySwapper.Registry.Transport;

/// <summary>
/// The pulls that a registry still grants (<see href="https://docs.docker.com/docker-hub/usage/pulls/">Docker Hub, pull usage</see>).
/// </summary>
/// <param name="Remaining">Pulls left in the window.</param>
/// <param name="Limit">Pulls in a window, or null when not said.</param>
/// <param name="Window">The window's length, or null when not said.</param>
public sealed record RateLimitStatus(int Remaining, int? Limit, TimeSpan? Window);
