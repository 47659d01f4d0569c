using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>What whole and chunked uploads share: the repository, the blob and its content.</summary>
internal sealed record UploadContext(
    RegistryTransport Transport,
    RegistryRequests Requests,
    string Repository,
    Descriptor Blob,
    Func<CancellationToken, Task<Stream>> Open,
    IProgress<long>? Progress
)
{
    /// <summary>Opens the content from its start.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Open(cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BlobSourceException(fault);
        }
    }

    /// <summary>A request to an upload session, at the registry's Location.</summary>
    public RegistryRequest ToSession(HttpMethod method, UploadSession session) =>
        Requests.ToSession(method, Repository, Blob.Digest, session);

    /// <summary>The next bytes of the content as a body that reports its progress.</summary>
    public Func<OperationTimeout, HttpContent> ToContent(Stream content, long from, long length) =>
        timeout =>
        {
            var sent = from;
            Progress?.Report(sent);
            return new BlobUploadContent(content, length, Report, timeout, Transport.Options, Transport.Time);

            void Report(int bytes)
            {
                RegistryMetrics.Written(Transport.Host.Name, bytes);
                Progress?.Report(sent += bytes);
            }
        };

    /// <exception cref="RegistryException">The registry reports that it stored something else.</exception>
    public void Check(RegistryRequest request, RegistryResponse response)
    {
        if (
            Digest.TryParse(response.Header("Docker-Content-Digest"), out var stored)
            && stored.Algorithm == Blob.Digest.Algorithm
            && stored != Blob.Digest
        )
            throw request.Fault(response.Status, $"sent {Blob.Digest}, the registry stored {stored}");
    }
}
