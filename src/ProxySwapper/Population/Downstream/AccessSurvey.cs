using System.Net;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Downstream;

/// <summary>
/// Checks our access to every target of the rules now, while the caller waits. Unlike <see cref="DownstreamHealth"/>, a
/// single rejection counts, and a target without a path is checked with a repository that an image could go to.
/// </summary>
internal sealed class AccessSurvey(RegistryServices registries, TimeProvider time)
{
    private const int ParallelChecks = 8;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Checks all targets, in the order of the rules.</summary>
    public async Task<IReadOnlyList<AccessFinding>> RunAsync(ProxySwapperOptions options, CancellationToken cancellationToken)
    {
        var planner = PopulationPlanner.Compile(options.Populate);
        var access = new AccessCheck(registries, () => planner);
        var repositories = AccessCheck
            .DestinationsOf(options)
            .GroupBy(rule => (rule.Target.Registry, Repository: rule.Target.Repository ?? rule.Example))
            .Select(rules => new CheckedRepository(
                rules.Key.Registry,
                rules.Key.Repository,
                rules.Any(rule => rule.IsPopulated),
                planner.IsWarmedUp(rules.Key.Registry, rules.Key.Repository)
            ))
            .ToList();
        var findings = new AccessFinding[repositories.Count];
        await Parallel.ForAsync(
            0,
            repositories.Count,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelChecks, CancellationToken = cancellationToken },
            async (index, stop) => findings[index] = await CheckAsync(access, repositories[index], options, stop)
        );
        return findings;
    }

    private async Task<AccessFinding> CheckAsync(
        AccessCheck access,
        CheckedRepository repository,
        ProxySwapperOptions options,
        CancellationToken cancellationToken
    )
    {
        string problem;
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            if (repository.IsPopulated)
                await access.CheckAsync(repository.Registry, repository.Repository, timeout.Token);
            else
                await access.CheckReadAsync(repository.Registry, repository.Repository, timeout.Token);
            return new(
                AccessOutcome.Granted,
                repository is { IsPopulated: true, IsWarmed: false }
                    ? $"reading and writing is allowed at {repository.Name}"
                    : $"reading is allowed at {repository.Name}; writing is not checked, since nothing is copied there"
            );
        }
        catch (RegistryException fault) when (repository.IsPopulated && fault.Status == HttpStatusCode.NotFound)
        {
            return new(
                AccessOutcome.Unknown,
                $"writing is not checked at {repository.Name}, since the repository does not exist: {fault.Message}"
            );
        }
        catch (RegistryException fault) when (AccessCheck.IsDenial(fault, repository.Registry))
        {
            problem = $"it rejects our login: {fault.Message}";
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            problem = fault.Message;
        }
        catch (OperationCanceledException) when (timeout.HasPassed)
        {
            problem = timeout.Reason;
        }
        // We only read there ourselves with `exists`.
        return repository.IsPopulated || options.SwapPolicy == SwapPolicy.Exists
            ? new(AccessOutcome.Failed, $"{repository.Registry}: {problem}")
            : new(
                AccessOutcome.Unknown,
                $"not checked: {repository.Name}: nothing is copied there and nodes pull with their own access; our check failed: {problem}"
            );
    }

    private readonly record struct CheckedRepository(RegistryName Registry, string Repository, bool IsPopulated, bool IsWarmed)
    {
        public string Name => $"{Registry} in {Repository}";
    }
}

/// <summary>What a check of a target found.</summary>
internal readonly record struct AccessFinding(AccessOutcome Outcome, string Text);

/// <summary>The result of a check of a target.</summary>
internal enum AccessOutcome
{
    /// <summary>The registry allows what we need.</summary>
    Granted,

    /// <summary>It could not be checked, which is not an error.</summary>
    Unknown,

    /// <summary>The registry returned an error or did not respond.</summary>
    Failed,
}
