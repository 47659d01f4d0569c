using System.Net;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// One blob's upload: a POST, then everything in one PUT, which all registries take. What breaks begins anew with a session of its own;
/// a body that is refused for its size goes in chunks.
/// </summary>
internal sealed class BlobUpload(
    RegistryTransport transport,
    RegistryRequests requests,
    UploadSessions sessions,
    string repository,
    Descriptor blob,
    Func<CancellationToken, Task<Stream>> open,
    IProgress<long>? progress
)
{
    private const long FirstChunkSize = 16 * 1024 * 1024;
    private const long LeastChunkSize = 64 * 1024;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(transport.Options);
        while (true)
        {
            var session = await sessions.OpenAsync(repository, blob.Digest, cancellationToken);
            try
            {
                if (blob.Size > transport.Host.ChunkSize)
                    await new ChunkedUpload(this, schedule).SendAsync(session, transport.Host.ChunkSize.Value, cancellationToken);
                else
                    await SendWholeAsync(session, isFirst: schedule.Tries == 0, cancellationToken);
                return;
            }
            catch (RegistryException fault)
                when (fault.Status == HttpStatusCode.RequestEntityTooLarge && SmallerThan(transport.Host.ChunkSize, session) is { } smaller)
            {
                await sessions.CancelAsync(repository, session);
                transport.Host.ChunkSize = smaller;
            }
            catch (RegistryException fault)
            {
                await sessions.CancelAsync(repository, session);
                if (!await transport.PauseAsync(schedule, fault, cancellationToken))
                    throw;
            }
            catch (BlobSourceException fault)
            {
                await sessions.CancelAsync(repository, session);
                fault.Rethrow();
            }
            catch (Exception)
            {
                await sessions.CancelAsync(repository, session);
                throw;
            }
        }
    }

    public RegistryTransport Transport => transport;

    public RegistryRequests Requests => requests;

    public string Repository => repository;

    public Descriptor Blob => blob;

    /// <summary>The content from its start.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await open(cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BlobSourceException(fault);
        }
    }

    /// <summary>The next bytes of the content as a body that tells how far it is.</summary>
    public BlobUploadContent ToContent(Stream content, long from, long length)
    {
        var sent = from;
        progress?.Report(sent);
        return new BlobUploadContent(content, length, Report, transport.Options, transport.Time);

        void Report(int bytes)
        {
            RegistryMetrics.Written(transport.Host.Name, bytes);
            progress?.Report(sent += bytes);
        }
    }

    /// <exception cref="RegistryException">The registry says that it stored something else.</exception>
    public void Check(RegistryRequest request, RegistryResponse answer)
    {
        if (
            Digest.TryParse(answer.Header("Docker-Content-Digest"), out var stored)
            && stored.Algorithm == blob.Digest.Algorithm
            && stored != blob.Digest
        )
            throw request.Fault(answer.Status, $"it was given {blob.Digest} and stored {stored}");
    }

    private async Task SendWholeAsync(UploadSession session, bool isFirst, CancellationToken cancellationToken)
    {
        await using var content = await OpenAsync(cancellationToken);
        var request = requests.ToSession(HttpMethod.Put, repository, session.ToFinish(blob.Digest)) with
        {
            Content = () => ToContent(content, 0, blob.Size),
            IsRepeatable = false,
            IsStream = true,
            // A registry that refuses in the middle of a body is heard only by who asks first; it costs a round trip, so not at once.
            ExpectContinue = !isFirst,
            Expected = [HttpStatusCode.Created, HttpStatusCode.NoContent],
        };
        using var answer = await transport.SendOnceAsync(request, null, cancellationToken);
        Check(request, answer);
    }

    /// <summary>A size of chunks that may pass where a larger one did not; null when there is none that the registry would take.</summary>
    private long? SmallerThan(long? refused, UploadSession session)
    {
        var smaller = refused is { } size ? size / 2 : Math.Min(FirstChunkSize, blob.Size / 2);
        return smaller >= Math.Max(LeastChunkSize, session.ChunkMinLength) ? smaller : null;
    }
}
