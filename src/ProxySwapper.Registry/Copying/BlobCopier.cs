using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Makes blobs be in one repository, with the least that has to move: (1) what is known to be there, (2) what a HEAD shows, (3) what the
/// host mounts from a repository of its own, (4) the bytes, from the source straight to the target.
/// </summary>
internal sealed class BlobCopier(
    RegistryClient source,
    string sourceRepository,
    RegistryClient target,
    string targetRepository,
    BlobTracker ledger,
    CopySession ticket,
    RepositoryCreator repository,
    IProgress<CopyProgress>? progress
)
{
    private int _copied;
    private int _mounted;
    private int _present;
    private long _bytes;

    public CopyResult AddTo(CopyResult result) =>
        result with
        {
            BlobsCopied = _copied,
            BlobsMounted = _mounted,
            BlobsPresent = _present,
            BytesCopied = _bytes,
        };

    /// <summary>Makes sure of one blob.</summary>
    public async Task EnsureAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        var entry = ledger.EntryOf(target.Registry, blob.Digest);
        while (true)
        {
            if (entry.IsIn(targetRepository))
            {
                Tell(blob, CopyStep.Present, ref _present);
                return;
            }
            // Some registries mount only what a committed manifest references. Earlier copies alone are waited for, and that before taking
            // the
            // lead: whoever leads waits for nobody, so that no two copies can wait for each other by way of a third.
            if (entry.Mover is { } earlier && earlier.Sequence < ticket.Sequence && !earlier.Ended.IsCompleted && !earlier.IsStalled)
            {
                await ticket.WaitAsync(earlier, entry.Moving, cancellationToken);
                if (entry.IsIn(targetRepository))
                    continue;
                await ticket.WaitAsync(earlier, earlier.Ended, cancellationToken);
                continue;
            }
            var moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (entry.Lead(ticket, moved) is not { } other)
            {
                try
                {
                    await MoveAsync(blob, entry, cancellationToken);
                    return;
                }
                finally
                {
                    // Who waits looks again: at what is known now, or to move it himself when this failed.
                    moved.SetResult();
                }
            }
            await ticket.WaitAsync(other.Mover, other.Moving, cancellationToken);
        }
    }

    /// <summary>True when the repository lacks the blob; asks, and changes nothing.</summary>
    public async Task<bool> IsMissingAsync(Descriptor blob, CancellationToken cancellationToken) =>
        !ledger.EntryOf(target.Registry, blob.Digest).IsIn(targetRepository)
        && !await TargetContent.HasBlobAsync(target, targetRepository, blob.Digest, cancellationToken);

    private async Task MoveAsync(Descriptor blob, TrackedBlob entry, CancellationToken cancellationToken)
    {
        if (await TargetContent.HasBlobAsync(target, targetRepository, blob.Digest, cancellationToken))
        {
            entry.Add(targetRepository);
            Tell(blob, CopyStep.Present, ref _present);
            return;
        }
        progress?.Report(new CopyProgress(blob, CopyStep.Planned, 0));
        if (await repository.RetryAfterCreatingAsync(token => TryMountAsync(blob, entry, token), cancellationToken))
        {
            entry.Add(targetRepository);
            Tell(blob, CopyStep.Mounted, ref _mounted);
            return;
        }
        await repository.RetryAfterCreatingAsync(
            async token =>
            {
                await target.UploadBlobAsync(
                    targetRepository,
                    blob,
                    open => OpenAsync(blob, open),
                    new BlobProgress(blob, ticket, progress),
                    token
                );
                return true;
            },
            cancellationToken
        );
        entry.Add(targetRepository);
        Interlocked.Add(ref _bytes, blob.Size);
        Tell(blob, CopyStep.Copied, ref _copied);
    }

    private async Task<bool> TryMountAsync(Descriptor blob, TrackedBlob entry, CancellationToken cancellationToken)
    {
        var from =
            target.Registry == source.Registry && sourceRepository != targetRepository
                ? sourceRepository
                : entry.OtherThan(targetRepository);
        return from is not null && await target.MountBlobAsync(targetRepository, blob.Digest, from, cancellationToken);
    }

    private async Task<Stream> OpenAsync(Descriptor blob, CancellationToken cancellationToken) =>
        blob.Data is { } data && data.Length == blob.Size && blob.Digest.Matches(data.Span)
            ? new MemoryStream(data.ToArray(), writable: false)
            : await source.OpenBlobAsync(sourceRepository, blob, cancellationToken);

    private void Tell(Descriptor blob, CopyStep step, ref int count)
    {
        ticket.Touch();
        Interlocked.Increment(ref count);
        progress?.Report(new CopyProgress(blob, step, blob.Size));
    }

    private sealed class BlobProgress(Descriptor blob, CopySession ticket, IProgress<CopyProgress>? progress) : IProgress<long>
    {
        public void Report(long value)
        {
            ticket.Touch();
            progress?.Report(new CopyProgress(blob, CopyStep.Transferring, value));
        }
    }
}
