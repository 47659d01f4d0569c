using System.Globalization;
using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload in chunks, one PATCH each; after a failure the session is queried for its position and continues there.</summary>
/// <param name="context">The upload.</param>
/// <param name="isRetry">True after a failed upload: Expect: 100-continue is used.</param>
internal sealed class ChunkedUpload(UploadContext context, bool isRetry)
{
    private readonly RegistryTransport _transport = context.Transport;

    /// <summary>For failures between two accepted chunks; the caller handles those of whole sessions.</summary>
    private readonly RetrySchedule _schedule = new(context.Transport.Options);

    public async Task SendAsync(UploadSession session, long chunkSize, CancellationToken cancellationToken)
    {
        var size = Math.Max(chunkSize, session.ChunkMinLength);
        var content = await context.OpenAsync(cancellationToken);
        try
        {
            for (long at = 0; at < context.Blob.Size; )
            {
                var length = Math.Min(size, context.Blob.Size - at);
                long reached;
                (session, reached) = await SendChunkAsync(session, content, at, length, cancellationToken);
                if (reached != at + length)
                {
                    await content.DisposeAsync();
                    content = await context.OpenAsync(cancellationToken);
                    await SkipAsync(content, reached, cancellationToken);
                }
                at = reached;
            }
        }
        finally
        {
            await content.DisposeAsync();
        }
        var request = context.ToSession(HttpMethod.Put, session.ToFinish(context.Blob.Digest)) with
        {
            Expected = [HttpStatusCode.Created, HttpStatusCode.NoContent],
        };
        using var response = await _transport.SendOnceAsync(request, null, cancellationToken);
        context.Check(request, response);
    }

    /// <summary>Sends a chunk; returns the new session and its position.</summary>
    private async Task<(UploadSession Session, long Reached)> SendChunkAsync(
        UploadSession session,
        Stream content,
        long at,
        long length,
        CancellationToken cancellationToken
    )
    {
        var request = context.ToSession(HttpMethod.Patch, session) with
        {
            Content = context.ToContent(content, at, length),
            ContentRange = string.Create(CultureInfo.InvariantCulture, $"{at}-{at + length - 1}"),
            IsRepeatable = false,
            IsStream = true,
            ExpectContinue = isRetry || _schedule.Tries > 0,
            Expected = [HttpStatusCode.Created, HttpStatusCode.Accepted, HttpStatusCode.NoContent],
        };
        try
        {
            using var response = await _transport.SendOnceAsync(request, null, cancellationToken);
            var reached = ReceivedLength(response) switch
            {
                null => at + length,
                // 0-0 is also the range of one byte.
                0 when at + length == 1 => 1,
                { } confirmed => confirmed,
            };
            if (reached <= at || reached > at + length)
                throw request.Fault(
                    response.Status,
                    $"it has {reached} of {context.Blob.Size} bytes after {at + length} were sent",
                    transient: true
                );
            _schedule.Reset();
            return (session.After(response, request), reached);
        }
        catch (RegistryException fault) when (fault.IsTransient || fault.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // A registry that never confirms its position would be queried forever, so that counts as a failure too.
            if (!await _transport.PauseAsync(_schedule, fault, cancellationToken))
                throw;
            return await QueryPositionAsync(session, at + length, fault, cancellationToken);
        }
    }

    private async Task<(UploadSession Session, long Reached)> QueryPositionAsync(
        UploadSession session,
        long sent,
        RegistryException why,
        CancellationToken cancellationToken
    )
    {
        var request = context.ToSession(HttpMethod.Get, session) with
        {
            Expected = [HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NotFound],
        };
        using var response = await _transport.SendAsync(request, cancellationToken);
        if (response.Status == HttpStatusCode.NotFound || ReceivedLength(response) is not { } reached || reached > sent)
            throw request.Fault(response.Status, "the upload's session is lost", why, transient: true);
        return (session.After(response, request), reached);
    }

    /// <summary>Reads <c>Range: 0-LAST</c>; <c>0-0</c> is sent for an empty session.</summary>
    private static long? ReceivedLength(RegistryResponse response)
    {
        var range = response.Header("Range") is { } text ? text.Replace("bytes=", "", StringComparison.Ordinal) : "";
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
                    throw new EndOfStreamException("The content to upload is shorter than declared by its descriptor.");
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
