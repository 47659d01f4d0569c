using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Clouds.Aws;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.Registries;

/// <summary>
/// Sets the policies of the ECR repositories that were created here. A repository works without them: a failure is logged, and no copy
/// fails for it.
/// </summary>
internal sealed partial class EcrPolicies(TimeProvider time, Func<EcrException, ImageReference, string> permissionOf, ILogger logger)
{
    private const int MaximumAttempts = 4;
    private const int MaximumRemembered = 10_000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<(string Repository, string? Lifecycle, string? Access)> _done = [];

    /// <summary>True if the configuration has policies that were not set for a repository since the start.</summary>
    public bool IsDue(ImageReference target, CreateRepositoriesOptions options)
    {
        if (options is { LifecyclePolicy: null, RepositoryPolicy: null })
            return false;
        lock (_gate)
            return !_done.Contains((target.Name, options.LifecyclePolicy, options.RepositoryPolicy));
    }

    /// <summary>Whether a repository exists and has our tag: only then are its policies ours to set.</summary>
    /// <exception cref="EcrException">ECR could not be reached.</exception>
    public async Task<bool> IsOursAsync(
        EcrClient client,
        ImageReference target,
        CreateRepositoriesOptions options,
        CancellationToken cancellationToken
    )
    {
        var mark = options.Tags.GetValueOrDefault(EcrRepositoryCreator.MarkKey, EcrRepositoryCreator.MarkValue);
        return await RetryAsync(
            async () =>
                await client.FindRepositoryAsync(target.Repository, cancellationToken) is { } found
                && (await client.ListTagsAsync(found.Arn, cancellationToken)).GetValueOrDefault(EcrRepositoryCreator.MarkKey) == mark,
            cancellationToken
        );
    }

    /// <summary>Sets the policies of a repository.</summary>
    public async Task SetAsync(
        EcrClient client,
        ImageReference target,
        CreateRepositoriesOptions options,
        CancellationToken cancellationToken
    )
    {
        var isSet = true;
        if (options.LifecyclePolicy is { } lifecycle)
            isSet &= await TryAsync(() => client.PutLifecyclePolicyAsync(target.Repository, lifecycle, cancellationToken));
        if (options.RepositoryPolicy is { } access)
            isSet &= await TryAsync(() => client.SetRepositoryPolicyAsync(target.Repository, access, cancellationToken));
        if (isSet)
            Remember(target, options);

        async Task<bool> TryAsync(Func<Task> set)
        {
            try
            {
                return await RetryAsync(
                    async () =>
                    {
                        await set();
                        return true;
                    },
                    cancellationToken
                );
            }
            catch (EcrException fault)
            {
                NotSet(target, fault);
                return false;
            }
        }
    }

    /// <summary>Nothing has to be done for a repository until the configuration changes.</summary>
    public void Remember(ImageReference target, CreateRepositoriesOptions options)
    {
        lock (_gate)
        {
            if (_done.Count >= MaximumRemembered)
                _done.Clear();
            _done.Add((target.Name, options.LifecyclePolicy, options.RepositoryPolicy));
        }
    }

    /// <summary>Logs that a policy could not be set.</summary>
    public void NotSet(ImageReference target, EcrException fault) =>
        Log.NotSet(logger, target.Name, fault.Message + permissionOf(fault, target));

    /// <summary>Retries transient failures; a repository that was just created may be unknown for some seconds.</summary>
    private async Task<T> RetryAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (EcrException fault)
                when (attempt < MaximumAttempts && (fault.IsTransient || fault.Code == "RepositoryNotFoundException"))
            {
                // Again, after a pause.
            }
            await Task.Delay(Backoff.Doubled(FirstPause, FirstPause * 8, attempt - 1), time, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Warning, "A policy of the repository {Repository} is not set: {Reason}")]
        public static partial void NotSet(ILogger logger, string repository, string reason);
    }
}
