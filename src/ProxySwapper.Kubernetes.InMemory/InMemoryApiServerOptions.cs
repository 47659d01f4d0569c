namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>How an <see cref="InMemoryApiServer"/> behaves.</summary>
internal sealed record InMemoryApiServerOptions
{
    /// <summary>The minor version that it says it is: below 27 there are no scheduling gates.</summary>
    public int MinorVersion { get; init; } = 36;

    /// <summary>The clock of creation times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Every request goes through this first, which may delay, answer or break it.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Interceptor { get; init; }

    /// <summary>How often a watch gets a bookmark.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(10);
}
