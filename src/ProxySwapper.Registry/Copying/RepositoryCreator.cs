using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Copying;

/// <summary>The repository that is written to, created once when the registry says that there is none and somebody can create it.</summary>
internal sealed class RepositoryCreator(ImageReference target, Func<ImageReference, CancellationToken, ValueTask<bool>>? create)
    : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private bool _isCreated;

    /// <summary>Does some writing; when the repository is unknown, creates it and does the writing again.</summary>
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
