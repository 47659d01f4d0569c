using Microsoft.AspNetCore.Http;
using ProxySwapper.Registry.InMemory;

namespace ProxySwapper.Testing.Registries;

/// <summary>Makes the requests to a registry wait, from <see cref="Begin"/> until <see cref="End"/>.</summary>
internal sealed class RequestHold
{
    private volatile TaskCompletionSource? _end;

    /// <summary>Makes requests wait from now on.</summary>
    public void Begin() => _end ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets the waiting requests continue, and those that follow.</summary>
    public void End() => Interlocked.Exchange(ref _end, null)?.TrySetResult();

    /// <summary>Starts a registry whose requests wait.</summary>
    public Task<InMemoryRegistry> StartRegistryAsync() =>
        InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = InterceptAsync });

    /// <summary>The interceptor of a registry whose requests wait.</summary>
    public async Task InterceptAsync(HttpContext context, RequestDelegate next)
    {
        if (_end is { } end)
            await end.Task.WaitAsync(context.RequestAborted);
        await next(context);
    }
}
