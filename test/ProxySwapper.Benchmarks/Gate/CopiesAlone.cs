using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Benchmarks.Gate;

/// <summary>The copies that Pods wait for, without Pods: the copy engine alone, at the same times and concurrency.</summary>
/// <param name="Last">From the start of the first copy to the end of the last one.</param>
/// <param name="Each">The duration of each copy from its due time, in milliseconds.</param>
internal sealed record CopiesAlone(TimeSpan Last, IReadOnlyList<double> Each)
{
    /// <summary>Copies <c>alone/app0</c>, <c>alone/app1</c>, …, spread evenly over a period.</summary>
    public static async Task<CopiesAlone> RunAsync(
        DebianRegistry upstream,
        DebianRegistry downstream,
        int images,
        int parallel,
        TimeSpan span
    )
    {
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        using var slots = new SemaphoreSlim(parallel);
        var clock = Stopwatch.StartNew();
        var ends = await Task.WhenAll(
            Enumerable
                .Range(0, images)
                .Select(async index =>
                {
                    var due = span * index / images;
                    await Task.Delay(due, TimeProvider.System);
                    await slots.WaitAsync();
                    try
                    {
                        var path = $"alone/app{index}:1";
                        await registries.Copier.CopyAsync(
                            new CopyRequest(
                                ImageReference.Parse($"{upstream.Address}/{path}"),
                                ImageReference.Parse($"{downstream.Address}/{path}")
                            ),
                            CancellationToken.None
                        );
                    }
                    finally
                    {
                        slots.Release();
                    }
                    return (End: clock.Elapsed, Took: (clock.Elapsed - due).TotalMilliseconds);
                })
        );
        return new CopiesAlone(ends.Max(copy => copy.End), [.. ends.Select(copy => copy.Took)]);
    }
}
