using System.Collections.Concurrent;
using ProxySwapper.Configuration;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Reporting;

/// <summary>Checks whether each target exists: one HEAD per image, in parallel, within the limits of each host.</summary>
internal sealed class DownstreamCheck(RegistryServices registries, bool compareDigests)
{
    /// <summary>More gains nothing, since each host has its own limit.</summary>
    private const int MaximumConcurrency = 32;

    /// <summary>Registries that do not respond, with the error: their other images are not checked.</summary>
    private readonly ConcurrentDictionary<RegistryName, string> _silent = [];

    /// <summary>Connections for requests that a user waits for: one retry and short timeouts.</summary>
    public static RegistryServices Connect(IReadOnlyList<RegistryEntryOptions> entries, TimeProvider time, ILoggerFactory loggers) =>
        RegistryServices.Create(
            entries,
            EnvironmentVariables.OfProcess(),
            time,
            loggers,
            options =>
                options with
                {
                    MaxRetries = 1,
                    RetryDelay = TimeSpan.FromMilliseconds(200),
                    MaxRetryDelay = TimeSpan.FromSeconds(5),
                    ResponseTimeout = TimeSpan.FromSeconds(10),
                }
        );

    /// <param name="entries">The images; results are stored in them.</param>
    /// <param name="progress">Receives the number of finished images; called from many threads.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public async Task RunAsync(IReadOnlyCollection<ImageEntry> entries, Action<int> progress, CancellationToken cancellationToken)
    {
        var done = 0;
        await Parallel.ForEachAsync(
            entries.Where(entry => entry.Target is not null).GroupBy(entry => entry.Target!.ToString(), StringComparer.Ordinal),
            new ParallelOptions { MaxDegreeOfParallelism = MaximumConcurrency, CancellationToken = cancellationToken },
            async (group, token) =>
            {
                await CheckAsync([.. group], token);
                progress(Interlocked.Increment(ref done));
            }
        );
    }

    private async Task CheckAsync(IReadOnlyList<ImageEntry> entries, CancellationToken cancellationToken)
    {
        var target = entries[0].Target!;
        var (digest, problem) = await DigestOfAsync(target, cancellationToken);
        var isOnNodes = _silent.ContainsKey(target.Registry) && IsLoopback(target.Registry);
        if (isOnNodes)
            problem = $"{target.Registry} is a registry on each node, and was checked on this machine: {problem}";
        foreach (var entry in entries)
        {
            entry.Presence =
                problem is not null ? (isOnNodes ? Presence.OnNodes : Presence.Unknown)
                : digest is null ? Presence.Missing
                : Presence.Present;
            entry.Problem = problem;
            if (compareDigests && digest is not null && entry.Decision is { Target: not null, Source: { } source })
            {
                var (original, failure) = await DigestOfAsync(source, cancellationToken);
                entry.IsSameDigest = original is null ? null : original == digest;
                entry.Problem =
                    failure ?? (original is null ? $"{source}: not found (HTTP 404), so that digests cannot be compared" : null);
            }
        }
    }

    /// <summary>Whether a registry is one of the machine that checks: for a Pod, of its node.</summary>
    private static bool IsLoopback(RegistryName registry) =>
        Uri.TryCreate($"https://{registry}", UriKind.Absolute, out var address) && address.IsLoopback;

    private async Task<(string? Digest, string? Problem)> DigestOfAsync(ImageReference image, CancellationToken cancellationToken)
    {
        if (_silent.TryGetValue(image.Registry, out var silence))
            return (null, silence);
        try
        {
            var found = await registries
                .Clients.For(image.Registry, registries.Credentials)
                .LookUpManifestAsync(image.Repository, image.ManifestReference, cancellationToken);
            return (found?.Digest.ToString(), null);
        }
        catch (Exception problem) when (RegistryFailures.IsExpected(problem))
        {
            if (problem is RegistryException { Status: null, IsTransient: true })
                _silent.TryAdd(image.Registry, problem.Message);
            return (null, problem.Message);
        }
    }
}
