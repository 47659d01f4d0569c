namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>Options of an <see cref="InMemoryApiServer"/>.</summary>
internal sealed record InMemoryApiServerOptions
{
    /// <summary>The minor version it reports: below 27 there are no scheduling gates.</summary>
    public int MinorVersion { get; init; } = 36;

    /// <summary>The clock of creation times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Middleware for every request, which may delay, answer or break it.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Interceptor { get; init; }

    /// <summary>How often a watch gets a bookmark.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(10);
}
