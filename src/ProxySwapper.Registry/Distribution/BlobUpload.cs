using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// One blob's upload: a POST, then everything in one PUT, which most registries accept. After a failure it restarts in a new session; a
/// body that is rejected, for its size or in general, is sent in chunks.
/// </summary>
internal sealed class BlobUpload(UploadContext context, UploadSessions sessions)
{
    private const long FirstChunkSize = 16 * 1024 * 1024;
    private const long LeastChunkSize = 64 * 1024;

    private readonly RegistryHost _host = context.Transport.Host;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(context.Transport.Options);
        var inChunks = _host.RequiresChunks;
        while (true)
        {
            var session = await sessions.OpenAsync(context.Repository, context.Blob.Digest, cancellationToken);
            var isRetry = schedule.Tries > 0;
            var chunkSize = _host.ChunkSize;
            try
            {
                if (inChunks || context.Blob.Size > chunkSize)
                    await new ChunkedUpload(context, isRetry).SendAsync(session, chunkSize ?? FirstChunkSize, cancellationToken);
                else
                    await SendMonolithicAsync(session, isRetry, cancellationToken);
                _host.RequiresChunks = inChunks;
                return;
            }
            catch (RegistryException rejection)
                when (rejection.Status == HttpStatusCode.RequestEntityTooLarge && SmallerThan(chunkSize, session) is { } smaller)
            {
                await sessions.CancelAsync(context, session);
                // Others may have been rejected meanwhile.
                if (_host.ChunkSize is not { } current || current > smaller)
                    _host.ChunkSize = smaller;
            }
            catch (RegistryException rejection) when (!inChunks && RegistryQuirks.IsMonolithicUploadRejected(rejection))
            {
                await sessions.CancelAsync(context, session);
                inChunks = true;
            }
            catch (RegistryException fault)
            {
                await sessions.CancelAsync(context, session);
                var mayPass = fault.IsTransient || RegistryQuirks.IsUploadSessionLost(fault);
                if (!mayPass || !await context.Transport.PauseAsync(schedule, fault, cancellationToken))
                    throw;
            }
            catch (BlobSourceException fault)
            {
                await sessions.CancelAsync(context, session);
                fault.Rethrow();
            }
            catch (Exception)
            {
                await sessions.CancelAsync(context, session);
                throw;
            }
        }
    }

    private async Task SendMonolithicAsync(UploadSession session, bool isRetry, CancellationToken cancellationToken)
    {
        await using var content = await context.OpenAsync(cancellationToken);
        var request = context.ToSession(HttpMethod.Put, session.ToFinish(context.Blob.Digest)) with
        {
            Content = context.ToContent(content, 0, context.Blob.Size),
            IsRepeatable = false,
            IsStream = true,
            // A rejection in the middle of a body is only noticed with Expect: 100-continue, which costs a round trip, so it is not used at
            // first.
            ExpectContinue = isRetry,
            Expected = [HttpStatusCode.Created, HttpStatusCode.NoContent],
        };
        using var response = await context.Transport.SendOnceAsync(request, null, cancellationToken);
        context.Check(request, response);
    }

    /// <summary>A smaller chunk size to try next; null if the registry would accept none.</summary>
    private long? SmallerThan(long? rejected, UploadSession session)
    {
        var smaller = rejected is { } size ? size / 2 : Math.Min(FirstChunkSize, context.Blob.Size / 2);
        return smaller >= Math.Max(LeastChunkSize, session.ChunkMinLength) ? smaller : null;
    }
}
