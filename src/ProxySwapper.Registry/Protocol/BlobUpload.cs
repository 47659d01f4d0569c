using System.Net;

namespace ProxySwapper.Registry.Protocol;

/// <summary>
/// One blob's upload: a POST, then everything in one PUT, which all registries take. What breaks begins anew with a session of its own;
/// a body that is refused for its size goes in chunks.
/// </summary>
internal sealed class BlobUpload(
    RegistryTransport transport, RegistryRequests requests, UploadSessions sessions, string repository, Descriptor blob,
    Func<CancellationToken, Task<Stream>> open, IProgress<long>? progress)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(transport.Options);
        while (true)
        {
            var session = await sessions.OpenAsync(repository, blob.Digest, cancellationToken);
            try
            {
                await using var content = await OpenAsync(cancellationToken);
                await SendWholeAsync(session, content, isFirst: schedule.Tries == 0, cancellationToken);
                return;
            }
            catch (RegistryException fault)
            {
                await sessions.CancelAsync(repository, session);
                if (!await transport.PauseAsync(schedule, fault, cancellationToken)) throw;
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

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
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

    private async Task SendWholeAsync(UploadSession session, Stream content, bool isFirst, CancellationToken cancellationToken)
    {
        var sent = 0L;
        progress?.Report(0);
        var request = requests.ToSession(HttpMethod.Put, repository, session.ToFinish(blob.Digest)) with
        {
            Content = () => new BlobContent(content, blob.Size, Report, transport.Options, transport.Time),
            IsRepeatable = false,
            IsStream = true,
            // A registry that refuses in the middle of a body is heard only by who asks first; it costs a round trip, so not at once.
            ExpectContinue = !isFirst,
            Expected = [HttpStatusCode.Created, HttpStatusCode.NoContent],
        };
        using var answer = await transport.SendOnceAsync(request, null, cancellationToken);
        if (Digest.TryParse(answer.Header("Docker-Content-Digest"), out var stored) && stored.Algorithm == blob.Digest.Algorithm && stored != blob.Digest)
            throw request.Fault(answer.Status, $"it was given {blob.Digest} and stored {stored}");

        void Report(int bytes)
        {
            RegistryMetrics.Written(transport.Host.Name, bytes);
            progress?.Report(sent += bytes);
        }
    }
}
