using System.Net;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Downstream;

/// <summary>Checks whether downstream registries respond and accept our credentials, each within a few seconds.</summary>
internal sealed class DownstreamProbe
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>The timeout of a target that fails: a slow registry must be able to recover.</summary>
    private static readonly TimeSpan RecoveryTimeout = TimeSpan.FromSeconds(15);

    private readonly Func<RegistryName, CancellationToken, Task> _ping;
    private readonly Func<RegistryName, string, CancellationToken, Task> _checkAccess;
    private readonly TimeProvider _time;

    /// <param name="registries">The registries, with our credentials.</param>
    /// <param name="planner">Knows which repositories are warmed instead of copied to.</param>
    /// <param name="time">The clock.</param>
    public DownstreamProbe(RegistryServices registries, CurrentPlanner planner, TimeProvider time)
        : this(
            (registry, cancellationToken) => registries.Clients.For(registry, registries.Credentials).PingAsync(cancellationToken),
            new AccessCheck(registries, () => planner.Value).CheckAsync,
            time
        ) { }

    /// <param name="ping">Pings a registry.</param>
    /// <param name="checkAccess">Checks whether we may read and write in a repository.</param>
    /// <param name="time">The clock.</param>
    internal DownstreamProbe(
        Func<RegistryName, CancellationToken, Task> ping,
        Func<RegistryName, string, CancellationToken, Task> checkAccess,
        TimeProvider time
    ) => (_ping, _checkAccess, _time) = (ping, checkAccess, time);

    /// <summary>Null if the registry responds, even if it rejects our credentials: nodes have their own.</summary>
    public async Task<string?> PingAsync(RegistryName registry, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, _time, cancellationToken);
        try
        {
            await _ping(registry, timeout.Token);
            return null;
        }
        catch (RegistryException fault) when (fault.Status is { } status && status < HttpStatusCode.InternalServerError)
        {
            return null;
        }
        catch (Exception fault) when (FailureClassifier.IsExpected(fault))
        {
            return fault.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no response within {Timeout.TotalSeconds} s";
        }
    }

    /// <summary>
    /// Checks the first repository of a target, and all others at the same time unless that one is granted.
    /// </summary>
    public async Task<IReadOnlyList<RepositoryAccess>> AccessOfAsync(
        RegistryName registry,
        TargetAccess target,
        CancellationToken cancellationToken
    )
    {
        var limit = target.Fault is null ? Timeout : RecoveryTimeout;
        var repositories = target.Repositories;
        var first = await AccessOfAsync(registry, repositories[0], limit, cancellationToken);
        if (first.Response == RepositoryResponse.Granted)
            return [first];
        return
        [
            first,
            .. await Task.WhenAll(repositories.Skip(1).Select(repository => AccessOfAsync(registry, repository, limit, cancellationToken))),
        ];
    }

    private async Task<RepositoryAccess> AccessOfAsync(
        RegistryName registry,
        string repository,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new OperationTimeout(limit, _time, cancellationToken);
        try
        {
            await _checkAccess(registry, repository, timeout.Token);
            return new(repository, RepositoryResponse.Granted, null);
        }
        catch (RegistryException problem) when (AccessCheck.IsDenial(problem, registry))
        {
            return new(repository, RepositoryResponse.Denied, $"it rejects our login: {problem.Message}");
        }
        catch (RegistryException problem) when (AccessCheck.IsAbsence(problem, registry))
        {
            return new(repository, RepositoryResponse.Absent, null);
        }
        catch (Exception problem) when (FailureClassifier.IsExpected(problem))
        {
            return new(repository, RepositoryResponse.Inconclusive, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(repository, RepositoryResponse.Inconclusive, null);
        }
    }
}
