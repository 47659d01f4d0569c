using System.Net;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Population.Downstream;

/// <summary>Asks downstream registries whether they respond and let us in, each within a few seconds.</summary>
/// <param name="ping">Pings a registry.</param>
/// <param name="checkAccess">Checks whether we may read and write in a repository.</param>
/// <param name="time">The clock.</param>
internal sealed class DownstreamProbe(
    Func<string, CancellationToken, Task> ping,
    Func<string, string, CancellationToken, Task> checkAccess,
    TimeProvider time
)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Null if the registry responds, even if it rejects our credentials: nodes have their own.</summary>
    public async Task<string?> PingAsync(string registry, CancellationToken cancellationToken)
    {
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            await ping(registry, timeout.Token);
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
    /// Granted if one repository is; refused if all are. Otherwise unknown: one that is not there (404) or too slow may be the only one
    /// that our login has rights for, or a name that no image has.
    /// </summary>
    public async Task<(DownstreamAccess Access, string? Denial)> AccessOfAsync(
        string registry,
        TargetAccess target,
        CancellationToken cancellationToken
    )
    {
        var (result, refusal) = (DownstreamAccess.Refused, (string?)null);
        foreach (var repository in target.Repositories)
        {
            var (access, denial) = await AccessOfAsync(registry, repository, cancellationToken);
            if (access == DownstreamAccess.Granted)
            {
                target.Granted(repository);
                return (access, null);
            }
            if (access == DownstreamAccess.Unknown)
                result = access;
            refusal = denial ?? refusal;
        }
        return (result, refusal);
    }

    private async Task<(DownstreamAccess Access, string? Denial)> AccessOfAsync(
        string registry,
        string repository,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new OperationTimeout(Timeout, time, cancellationToken);
        try
        {
            await checkAccess(registry, repository, timeout.Token);
            return (DownstreamAccess.Granted, null);
        }
        catch (RegistryException problem) when (AccessCheck.IsDenial(problem, registry))
        {
            return (DownstreamAccess.Refused, $"it rejects our login: {problem.Message}");
        }
        catch (Exception problem) when (FailureClassifier.IsExpected(problem))
        {
            return (DownstreamAccess.Unknown, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (DownstreamAccess.Unknown, null);
        }
    }
}
