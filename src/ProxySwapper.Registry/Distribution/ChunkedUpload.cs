using System.Globalization;
using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>An upload in chunks, each a PATCH; after a fault the session is asked where it is, and goes on there.</summary>
/// <param name="context">What is uploaded, and where to.</param>
/// <param name="isRetry">An upload before this one failed: the registry is asked before a body is sent.</param>
internal sealed class ChunkedUpload(UploadContext context, bool isRetry)
{
    private readonly RegistryTransport _transport = context.Transport;

    /// <summary>For the faults between two chunks that were taken; those of whole sessions are the caller's.</summary>
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

    /// <summary>Sends a chunk; gives the session as it is then, and how many bytes it has.</summary>
    private async Task<(UploadSession Session, long Reached)> SendChunkAsync(
        UploadSession session,
        Stream content,
        long at,
        long length,
        CancellationToken cancellationToken
    )
    {
        var request = context.ToSession(HttpMethod.Patch, session.Address) with
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
            _schedule.Reset();
            return (session.After(response, request), ReachedBy(response) ?? at + length);
        }
        catch (RegistryException fault) when (fault.IsTransient || fault.Status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // A registry that never agrees where its session is would be asked forever: that counts as a fault, too.
            if (!await _transport.PauseAsync(_schedule, fault, cancellationToken))
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
        var request = context.ToSession(HttpMethod.Get, session.Address) with
        {
            Expected = [HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.Accepted, HttpStatusCode.NotFound],
        };
        using var response = await _transport.SendAsync(request, cancellationToken);
        if (response.Status == HttpStatusCode.NotFound || ReachedBy(response) is not { } reached || reached > context.Blob.Size)
            throw request.Fault(response.Status, "the upload's session is lost", why, transient: true);
        return (session.After(response, request), reached);
    }

    /// <summary>Reads <c>Range: 0-LAST</c>; <c>0-0</c> is what a session without content says.</summary>
    private static long? ReachedBy(RegistryResponse response)
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
                    throw new EndOfStreamException("The content to upload is shorter than its descriptor says.");
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
