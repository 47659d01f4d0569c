using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Copying;

/// <summary>
/// Copies blobs to one repository with the least traffic: (1) what is known to exist, (2) what a HEAD shows, (3) what the host mounts from
/// another of its repositories, (4) the bytes, streamed from source to target.
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

    /// <summary>Ensures that one blob exists.</summary>
    public async Task EnsureAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        var tracked = Track(blob);
        while (true)
        {
            if (tracked.IsIn(target.Repository))
            {
                Report(blob, CopyStep.Present, ref _present);
                return;
            }
            // Some registries only mount what a committed manifest references. Only earlier copies are waited for, and only before becoming
            // the copier: a copier never waits, so no two copies can wait for each other through a third.
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
                    // Waiters check again: for the result, or to copy the blob themselves if this failed.
                    copied.SetResult();
                }
            }
            await session.WaitAsync(other.Copier, other.Copying, cancellationToken);
        }
    }

    /// <summary>True if the repository lacks the blob; does not change anything.</summary>
    public async Task<bool> IsMissingAsync(Descriptor blob, CancellationToken cancellationToken) =>
        !Track(blob).IsIn(target.Repository)
        && await TargetContent.FindBlobAsync(target.Client, target.Repository, blob, cancellationToken) != BlobPresence.Present;

    /// <summary>What was known to exist turned out to be gone.</summary>
    public void Forget(Descriptor blob) => Track(blob).Remove(target.Repository);

    private TrackedBlob Track(Descriptor blob) => session.Track(source.Registry, target.Registry, blob.Digest);

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
            await AssertCompleteAsync(blob, cancellationToken);
        tracked.Add(target.Repository);
        Interlocked.Add(ref _bytes, blob.Size);
        Report(blob, CopyStep.Copied, ref _copied);
    }

    /// <summary>
    /// Only mounts what this copy may read: the source is a repository of the same host, or the source shows a blob that another repository
    /// is known to have. Otherwise a manifest naming the digest of a private layer would be enough to obtain it with the target's login.
    /// </summary>
    private async Task<bool> TryMountAsync(Descriptor blob, TrackedBlob tracked, CancellationToken cancellationToken)
    {
        if (target.Registry == source.Registry && source.Repository != target.Repository)
            return await target.MountBlobAsync(blob.Digest, source.Repository, cancellationToken);
        return tracked.OtherThan(target.Repository) is { } from
            && await source.FindBlobAsync(blob, cancellationToken) == BlobPresence.Present
            && await target.MountBlobAsync(blob.Digest, from, cancellationToken);
    }

    /// <summary>The length of a GET detects a registry that keeps its old content despite an upload.</summary>
    private async Task AssertCompleteAsync(Descriptor blob, CancellationToken cancellationToken)
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
