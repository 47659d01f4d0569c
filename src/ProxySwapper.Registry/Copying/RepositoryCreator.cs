using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>Creates the target repository once if the registry says that it does not exist and it can be created.</summary>
internal sealed class RepositoryCreator(
    ImageReference target,
    Func<ImageReference, CancellationToken, ValueTask<bool>>? create,
    TimeProvider time
) : IDisposable
{
    /// <summary>A created repository may take seconds to become visible to pushes; the pauses add up to 7.5 s.</summary>
    private const int MaximumAttempts = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);

    private readonly SemaphoreSlim _gate = new(1);
    private bool _isCreated;

    /// <summary>Writes; if the repository is unknown, creates it and writes again, until it is visible.</summary>
    public async Task<T> RetryAfterCreatingAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await write(cancellationToken);
            }
            catch (RegistryException fault) when (fault.IsRepositoryUnknown && create is not null && attempt < MaximumAttempts)
            {
                if (!await CreateAsync(cancellationToken))
                    throw;
            }
            if (attempt > 0)
                await Task.Delay(Backoff.Doubled(FirstPause, FirstPause * 16, attempt - 1), time, cancellationToken);
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<bool> CreateAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _isCreated = _isCreated || await create!(target, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }
}
