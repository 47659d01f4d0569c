using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Makes blobs be in one repository, with the least that has to move: (1) what is known to be there, (2) what a HEAD shows, (3) what the
/// host mounts from a repository of its own, (4) the bytes, from the source straight to the target.
/// </summary>
internal sealed class BlobCopier(
    RepositoryClient source,
    RepositoryClient target,
    CopySession session,
    RepositoryCreator creator,
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
        var tracked = session.Track(target.Registry, blob.Digest);
        while (true)
        {
            if (tracked.IsIn(target.Repository))
            {
                Report(blob, CopyStep.Present, ref _present);
                return;
            }
            // Some registries mount only what a committed manifest references. Earlier copies alone are waited for, and that before
            // becoming the copier: who copies waits for nobody, so that no two copies can wait for each other by way of a third.
            if (tracked.Copier is { } earlier && session.IsAfter(earlier) && !earlier.Ended.IsCompleted && !earlier.IsStalled)
            {
                await session.WaitAsync(earlier, tracked.Copying, cancellationToken);
                if (tracked.IsIn(target.Repository))
                    continue;
                await session.WaitAsync(earlier, earlier.Ended, cancellationToken);
                continue;
            }
            var copied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (tracked.Begin(session, copied) is not { } other)
            {
                try
                {
                    await CopyAsync(blob, tracked, cancellationToken);
                    return;
                }
                finally
                {
                    // Who waits looks again: at what is known now, or to copy it himself when this failed.
                    copied.SetResult();
                }
            }
            await session.WaitAsync(other.Copier, other.Copying, cancellationToken);
        }
    }

    /// <summary>True when the repository lacks the blob; asks, and changes nothing.</summary>
    public async Task<bool> IsMissingAsync(Descriptor blob, CancellationToken cancellationToken) =>
        !session.Track(target.Registry, blob.Digest).IsIn(target.Repository)
        && await TargetContent.FindBlobAsync(target.Client, target.Repository, blob, cancellationToken) != BlobPresence.Present;

    private async Task CopyAsync(Descriptor blob, TrackedBlob tracked, CancellationToken cancellationToken)
    {
        var presence = await TargetContent.FindBlobAsync(target.Client, target.Repository, blob, cancellationToken);
        if (presence == BlobPresence.Present)
        {
            tracked.Add(target.Repository);
            Report(blob, CopyStep.Present, ref _present);
            return;
        }
        progress?.Report(new CopyProgress(blob, CopyStep.Planned, 0));
        if (
            presence == BlobPresence.Missing
            && await creator.RetryAfterCreatingAsync(token => TryMountAsync(blob, tracked, token), cancellationToken)
        )
        {
            tracked.Add(target.Repository);
            Report(blob, CopyStep.Mounted, ref _mounted);
            return;
        }
        await creator.RetryAfterCreatingAsync(
            async token =>
            {
                await target.UploadBlobAsync(blob, open => OpenAsync(blob, open), new BlobProgress(blob, session, progress), token);
                return true;
            },
            cancellationToken
        );
        if (presence == BlobPresence.OtherSize)
            await AssertWholeAsync(blob, cancellationToken);
        tracked.Add(target.Repository);
        Interlocked.Add(ref _bytes, blob.Size);
        Report(blob, CopyStep.Copied, ref _copied);
    }

    /// <summary>
    /// Mounts what this copy may read: the source itself is a repository of the host, or it shows the blob that another one is known to
    /// have. Else a manifest that names the digest of somebody's private layer would be enough to get it, by the login of the target.
    /// </summary>
    private async Task<bool> TryMountAsync(Descriptor blob, TrackedBlob tracked, CancellationToken cancellationToken)
    {
        if (target.Registry == source.Registry && source.Repository != target.Repository)
            return await target.MountBlobAsync(blob.Digest, source.Repository, cancellationToken);
        return tracked.OtherThan(target.Repository) is { } from
            && await source.FindBlobAsync(blob, cancellationToken) == BlobPresence.Present
            && await target.MountBlobAsync(blob.Digest, from, cancellationToken);
    }

    /// <summary>A registry that keeps what it had in spite of an upload is found out by the length that a GET says.</summary>
    private async Task AssertWholeAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        await using var content = await target.OpenBlobAsync(blob, cancellationToken);
    }

    private async Task<Stream> OpenAsync(Descriptor blob, CancellationToken cancellationToken) =>
        blob.Data is { } data && data.Length == blob.Size && blob.Digest.Matches(data.Span)
            ? new MemoryStream(data.ToArray(), writable: false)
            : await source.OpenBlobAsync(blob, cancellationToken);

    private void Report(Descriptor blob, CopyStep step, ref int count)
    {
        session.Touch();
        Interlocked.Increment(ref count);
        progress?.Report(new CopyProgress(blob, step, blob.Size));
    }

    private sealed class BlobProgress(Descriptor blob, CopySession session, IProgress<CopyProgress>? progress) : IProgress<long>
    {
        public void Report(long value)
        {
            session.Touch();
            progress?.Report(new CopyProgress(blob, CopyStep.Transferring, value));
        }
    }
}
