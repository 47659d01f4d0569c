using System.Collections.Concurrent;
using System.Net;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Holds back work on a registry whose pull limit was reached: all of it waits until the time the registry named, or is left to the next
/// run.
/// </summary>
internal sealed class RateLimitGate(RateLimitAction action, IMirrorOutput output, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaximumWait = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<RegistryName, Closing> _closings = new();

    /// <summary>Runs work on an image's registries, repeating it while one of them asks to retry later.</summary>
    /// <returns>The result, or the registry that has to be waited for too long.</returns>
    public async Task<(T? Result, RegistryName? ClosedRegistry)> RunAsync<T>(
        MirrorImage image,
        Func<CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    )
        where T : class
    {
        RegistryName[] registries = [image.Source.Registry, image.Destination.Registry];
        while (true)
        {
            foreach (var registry in registries)
                if (!await EnterAsync(registry, cancellationToken))
                    return (null, registry);
            try
            {
                return (await work(cancellationToken), null);
            }
            catch (RegistryException fault) when (fault.Status == HttpStatusCode.TooManyRequests)
            {
                Close(fault.Host == image.Destination.Registry ? image.Destination.Registry : image.Source.Registry, fault);
            }
        }
    }

    private async ValueTask<bool> EnterAsync(RegistryName registry, CancellationToken cancellationToken)
    {
        while (_closings.TryGetValue(registry, out var closing) && closing.Until - time.GetUtcNow() is { Ticks: > 0 } wait)
        {
            if (action == RateLimitAction.Stop)
                return false;
            await Task.Delay(wait, time, cancellationToken);
        }
        return true;
    }

    /// <summary>Closes a registry for the time of its Retry-After; without one, for longer each time.</summary>
    private void Close(RegistryName registry, RegistryException fault)
    {
        var now = time.GetUtcNow();
        var isNew = false;
        var closing = _closings.AddOrUpdate(registry, _ => Next(0), (_, last) => last.Until > now ? Keep(last) : Next(last.Doublings + 1));
        if (isNew)
            output.Note(
                $"the pull limit of {registry} was reached: "
                    + (
                        action == RateLimitAction.Stop
                            ? "leaving its images to the next run"
                            : $"waiting until {closing.Until:HH:mm:ss} UTC"
                    )
                    + $" ({fault.Message})"
            );

        Closing Keep(Closing last)
        {
            isNew = false;
            return last;
        }

        Closing Next(int doublings)
        {
            isNew = true;
            var wait = fault.RetryAfter ?? Backoff.Doubled(FirstWait, MaximumWait, doublings);
            return new Closing(action == RateLimitAction.Stop ? DateTimeOffset.MaxValue : now + wait, doublings);
        }
    }

    private sealed record Closing(DateTimeOffset Until, int Doublings);
}
