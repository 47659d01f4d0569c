using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>Creates the target repository once if the registry says that it does not exist and it can be created.</summary>
internal sealed class RepositoryCreator(ImageReference target, Func<ImageReference, CancellationToken, ValueTask<bool>>? create)
    : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private bool _isCreated;

    /// <summary>Runs a write; if the repository does not exist, creates it and repeats the write.</summary>
    public async Task<T> RetryAfterCreatingAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken cancellationToken)
    {
        try
        {
            return await write(cancellationToken);
        }
        catch (RegistryException fault) when (fault.IsRepositoryUnknown && create is not null)
        {
            if (!await CreateAsync(cancellationToken))
                throw;
        }
        return await write(cancellationToken);
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
