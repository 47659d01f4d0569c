using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Reporting;

/// <summary>Checks whether each target exists: one HEAD per image, in parallel, within the limits of each host.</summary>
internal sealed class DownstreamCheck(RegistryServices registries, bool compareDigests)
{
    /// <summary>More gains nothing, since each host has its own limit.</summary>
    private const int MaximumConcurrency = 32;

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
        var (digest, problem) = await DigestOfAsync(entries[0].Target!, cancellationToken);
        foreach (var entry in entries)
        {
            entry.Presence =
                problem is not null ? Presence.Unknown
                : digest is null ? Presence.Missing
                : Presence.Present;
            entry.Problem = problem;
            if (compareDigests && digest is not null && entry.Decision is { Target: not null, Source: { } source })
            {
                var (original, failure) = await DigestOfAsync(source, cancellationToken);
                entry.IsSameDigest = original is null ? null : original == digest;
                entry.Problem = failure;
            }
        }
    }

    private async Task<(string? Digest, string? Problem)> DigestOfAsync(ImageReference image, CancellationToken cancellationToken)
    {
        try
        {
            var found = await registries
                .Clients.For(image.Registry, registries.Credentials)
                .HeadManifestAsync(image.Repository, image.ManifestReference, cancellationToken);
            return (found?.Digest.ToString(), null);
        }
        catch (Exception problem) when (problem is RegistryException or RegistryCredentialException or IOException)
        {
            return (null, problem.Message);
        }
    }
}
