using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Reads manifests. A digest is what the bytes hash to; what a header says of it is compared and never taken for it.</summary>
internal sealed partial class ManifestReader(RegistryTransport transport, RegistryRequests requests, ILogger logger)
{
    private const string DigestHeader = "Docker-Content-Digest";

    /// <summary>What a reference points at; null when there is nothing. A registry whose HEAD tells too little is asked by GET.</summary>
    public async Task<Descriptor?> HeadAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        var request = await requests.ToManifestAsync(HttpMethod.Head, repository, reference, cancellationToken) with
        {
            Accept = MediaTypes.Manifests,
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed],
        };
        using var answer = await transport.SendAsync(request, cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
            return null;
        var asked = Digest.TryParse(reference, out var named) ? named : (Digest?)null;
        var said = Digest.TryParse(answer.Header(DigestHeader), out var told) ? told : asked;
        if (
            answer.Status == HttpStatusCode.OK
            && said is { } digest
            && answer.ContentHeaders is { ContentType.MediaType: { } mediaType, ContentLength: > 0 and { } size }
        )
        {
            if (asked is null || digest == asked)
                return new Descriptor(mediaType, digest, size);
            if (digest.Algorithm == asked.Value.Algorithm)
                throw request.Fault(answer.Status, $"it was asked for {asked} and says to have {digest}");
            return new Descriptor(mediaType, asked.Value, size);
        }
        answer.Dispose();
        return await FindAsync(repository, reference, cancellationToken) is { } manifest ? manifest.Descriptor : null;
    }

    /// <exception cref="RegistryException">
    /// There is none, its bytes are not those of the digest, or it is none that can be copied.
    /// </exception>
    public async Task<Manifest> GetAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        var request = await ToGetAsync(repository, reference, cancellationToken);
        return await transport.SendAsync(request, answer => ReadAsync(answer, request, reference, cancellationToken), cancellationToken);
    }

    /// <summary>The same; null when there is none.</summary>
    public async Task<Manifest?> FindAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        var request = await ToGetAsync(repository, reference, cancellationToken) with
        {
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
        };
        return await transport.SendAsync<Manifest?>(
            request,
            async answer =>
            {
                if (answer.Status == HttpStatusCode.OK)
                    return await ReadAsync(answer, request, reference, cancellationToken);
                answer.Dispose();
                return null;
            },
            cancellationToken
        );
    }

    private async ValueTask<RegistryRequest> ToGetAsync(string repository, string reference, CancellationToken cancellationToken) =>
        await requests.ToManifestAsync(HttpMethod.Get, repository, reference, cancellationToken) with
        {
            Accept = MediaTypes.Manifests,
        };

    private async Task<Manifest> ReadAsync(
        RegistryResponse answer,
        RegistryRequest request,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var bytes = await answer.ReadBodyAsync(transport.Options.MaxManifestSize, cancellationToken);
        using (answer)
        {
            var mediaType =
                ManifestMediaType.Of(bytes.Span, answer.ContentHeaders.ContentType?.MediaType)
                ?? throw request.Fault(answer.Status, $"{reference} is no manifest");
            if (ManifestMediaType.IsFirstSchema(mediaType))
                throw request.Fault(
                    answer.Status,
                    $"{reference} is a manifest of Docker's first schema, which can't be copied "
                        + "with its digest; push the image anew with a current tool"
                );
            var digest = Digest.TryParse(reference, out var named) ? named : Digest.OfBytes(bytes.Span);
            if (named != default && !named.Matches(bytes.Span))
                throw request.Fault(answer.Status, $"the manifest {named} came with the content of {Digest.OfBytes(bytes.Span)}");
            if (Digest.TryParse(answer.Header(DigestHeader), out var told) && !told.Matches(bytes.Span))
                Log.WrongDigest(logger, request.Registry, request.Repository, reference, told, digest);
            return new Manifest(mediaType, digest, bytes);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Host}/{Repository}: {Reference} came with the digest {Told} in its header and has {Digest}, which counts"
        )]
        public static partial void WrongDigest(
            ILogger logger,
            string host,
            string repository,
            string reference,
            Digest told,
            Digest digest
        );
    }
}
