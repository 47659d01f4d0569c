using System.Globalization;
using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload in chunks, each a PATCH; after a fault the session is asked where it is, and goes on there.</summary>
internal sealed class ChunkedUpload(BlobUpload upload, RetrySchedule schedule)
{
    private readonly RegistryTransport _transport = upload.Transport;

    public async Task SendAsync(UploadSession session, long chunkSize, CancellationToken cancellationToken)
    {
        var size = Math.Max(chunkSize, session.ChunkMinLength);
        var content = await upload.OpenAsync(cancellationToken);
        try
        {
            for (long at = 0; at < upload.Blob.Size; )
            {
                var length = Math.Min(size, upload.Blob.Size - at);
                long reached;
                (session, reached) = await SendChunkAsync(session, content, at, length, cancellationToken);
                if (reached != at + length)
                {
                    await content.DisposeAsync();
                    content = await upload.OpenAsync(cancellationToken);
                    await SkipAsync(content, reached, cancellationToken);
                }
                at = reached;
            }
        }
        finally
        {
            await content.DisposeAsync();
        }
        var request = upload.Requests.ToSession(HttpMethod.Put, upload.Repository, session.ToFinish(upload.Blob.Digest)) with
        {
            Expected = [HttpStatusCode.Created, HttpStatusCode.NoContent],
        };
        using var answer = await _transport.SendOnceAsync(request, null, cancellationToken);
        upload.Check(request, answer);
    }

    /// <summary>Sends a chunk; gives the session as it is then, and how many bytes it has.</summary>
    private async Task<(UploadSession Session, long Reached)> SendChunkAsync(
        UploadSession session,
        Stream content,
        long at,
        long length,
        CancellationToken cancellationToken
    )
    {
        var request = upload.Requests.ToSession(HttpMethod.Patch, upload.Repository, session.Address) with
        {
            Content = () => upload.ToContent(content, at, length),
            ContentRange = string.Create(CultureInfo.InvariantCulture, $"{at}-{at + length - 1}"),
            IsRepeatable = false,
            IsStream = true,
            ExpectContinue = schedule.Tries > 0,
            Expected = [HttpStatusCode.Created, HttpStatusCode.Accepted, HttpStatusCode.NoContent],
        };
        try
        {
            using var answer = await _transport.SendOnceAsync(request, null, cancellationToken);
            schedule.Reset();
            return (UploadSessions.After(session, answer), ReachedBy(answer) ?? at + length);
        }
        catch (RegistryException fault) when (fault.IsTransient || fault.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // A registry that never agrees where its session is would be asked forever: that counts as a fault that may pass, too.
            var passing = fault.IsTransient
                ? fault
                : request.Fault(fault.Status, "the session is elsewhere", fault, fault.Errors, transient: true);
            if (!await _transport.PauseAsync(schedule, passing, cancellationToken))
                throw;
            return await AskAsync(session, fault, cancellationToken);
        }
    }

    private async Task<(UploadSession Session, long Reached)> AskAsync(
        UploadSession session,
        RegistryException why,
        CancellationToken cancellationToken
    )
    {
        var request = upload.Requests.ToSession(HttpMethod.Get, upload.Repository, session.Address) with
        {
            Expected = [HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NotFound],
        };
        using var answer = await _transport.SendAsync(request, cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound || ReachedBy(answer) is not { } reached || reached > upload.Blob.Size)
            throw request.Fault(answer.Status, "the upload's session is lost", why, transient: true);
        return (UploadSessions.After(session, answer), reached);
    }

    /// <summary>Reads <c>Range: 0-LAST</c>; <c>0-0</c> is what a session without content says.</summary>
    private static long? ReachedBy(RegistryResponse answer)
    {
        var range = answer.Header("Range") is { } text ? text.Replace("bytes=", "", StringComparison.Ordinal) : "";
        if (range.Split('-') is not ["0", var last] || !long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end))
            return null;
        return end == 0 ? 0 : end + 1;
    }

    private static async Task SkipAsync(Stream content, long count, CancellationToken cancellationToken)
    {
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            while (count > 0)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken);
                if (read == 0)
                    throw new EndOfStreamException("The content to upload is shorter than was said.");
                count -= read;
            }
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BlobSourceException(fault);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
