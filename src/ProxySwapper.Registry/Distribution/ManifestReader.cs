using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>Reads manifests. Digests are computed from the bytes; those in headers are only compared.</summary>
internal sealed partial class ManifestReader(RegistryTransport transport, RegistryRequests requests, ILogger logger)
{
    private const string DigestHeader = "Docker-Content-Digest";

    /// <summary>In messages.</summary>
    private const int MaxMediaTypeLength = 100;

    /// <summary>
    /// Resolves a reference; null if it does not exist. If a HEAD is rejected or has too little information, a GET is used.
    /// </summary>
    public async Task<Descriptor?> HeadAsync(string repository, string reference, CancellationToken cancellationToken) =>
        (await FindByHeadAsync(repository, reference, cancellationToken)).Found;

    /// <summary>The same, but only a GET proves absence, since some registries respond to every HEAD with 404.</summary>
    public async Task<Descriptor?> ResolveAsync(string repository, string reference, CancellationToken cancellationToken) =>
        await FindByHeadAsync(repository, reference, cancellationToken) is { IsCertain: true } certain
            ? certain.Found
            : (await FindAsync(repository, reference, cancellationToken))?.Descriptor;

    /// <summary>The same, with a GET only until a HEAD has found something at this host.</summary>
    public async Task<Descriptor?> LookUpAsync(string repository, string reference, CancellationToken cancellationToken) =>
        await FindByHeadAsync(repository, reference, cancellationToken) is { } result && (result.IsCertain || transport.Host.RespondsToHead)
            ? result.Found
            : (await FindAsync(repository, reference, cancellationToken))?.Descriptor;

    /// <exception cref="RegistryException">
    /// The manifest does not exist, its bytes do not have the digest, or it is not of a kind that can be copied.
    /// </exception>
    public async Task<Manifest> GetAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        var request = await ToGetAsync(repository, reference, cancellationToken);
        return await transport.SendAsync(
            request,
            response => ReadAsync(response, request, reference, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>The same; null if it does not exist.</summary>
    public async Task<Manifest?> FindAsync(string repository, string reference, CancellationToken cancellationToken)
    {
        var request = await ToGetAsync(repository, reference, cancellationToken) with
        {
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
        };
        return await transport.SendAsync<Manifest?>(
            request,
            async response =>
            {
                if (response.Status == HttpStatusCode.OK)
                    return await ReadAsync(response, request, reference, cancellationToken);
                response.Dispose();
                return null;
            },
            cancellationToken
        );
    }

    /// <returns>What was found, and whether that is certain: a HEAD that finds nothing proves no absence.</returns>
    private async Task<(Descriptor? Found, bool IsCertain)> FindByHeadAsync(
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var request = await requests.ToManifestAsync(HttpMethod.Head, repository, reference, cancellationToken) with
        {
            Accept = MediaTypes.Manifests,
            Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
        };
        try
        {
            using var response = await transport.SendAsync(request, cancellationToken);
            if (response.Status == HttpStatusCode.NotFound)
                return (null, false);
            transport.Host.RespondsToHead = true;
            if (DescriptorOf(response, request, reference) is { } descriptor)
                return (descriptor, true);
        }
        catch (RegistryException rejection) when (RegistryQuirks.IsHeadRejected(rejection))
        {
            // The GET has more information, including the reason of a rejection.
        }
        return ((await FindAsync(repository, reference, cancellationToken))?.Descriptor, true);
    }

    private static Descriptor? DescriptorOf(RegistryResponse response, RegistryRequest request, string reference)
    {
        var requested = Digest.TryParse(reference, out var named) ? named : (Digest?)null;
        var returned = Digest.TryParse(response.Header(DigestHeader), out var header) ? header : requested;
        if (
            returned is not { } digest
            || response.ContentHeaders is not { ContentType.MediaType: { } mediaType, ContentLength: > 0 and { } size }
        )
            return null;
        if (requested is { } expected && digest != expected && digest.Algorithm == expected.Algorithm)
            throw request.Fault(response.Status, $"requested {expected}, the registry returned {digest}");
        return new Descriptor(mediaType, requested ?? digest, size);
    }

    private async ValueTask<RegistryRequest> ToGetAsync(string repository, string reference, CancellationToken cancellationToken) =>
        await requests.ToManifestAsync(HttpMethod.Get, repository, reference, cancellationToken) with
        {
            Accept = MediaTypes.Manifests,
        };

    private async Task<Manifest> ReadAsync(
        RegistryResponse response,
        RegistryRequest request,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var bytes = await response.ReadBodyAsync(transport.Options.MaxManifestSize, cancellationToken);
        using (response)
        {
            var hasReference = Digest.TryParse(reference, out var named);
            var hasHeader = Digest.TryParse(response.Header(DigestHeader), out var header);
            // Not the page of a proxy, or of a registry under maintenance: it will be the same next time.
            var isStored = hasReference ? named.Matches(bytes.Span) : hasHeader && header.Matches(bytes.Span);
            var mediaType =
                ManifestMediaType.Of(bytes.Span, response.ContentHeaders.ContentType?.MediaType)
                ?? throw request.Fault(response.Status, "it is not a manifest", limit: isStored);
            if (!ManifestMediaType.IsValid(mediaType))
                throw request.Fault(
                    response.Status,
                    $"its media type '{request.Secrets.Show(mediaType, MaxMediaTypeLength)}' is not valid: it must be TYPE/SUBTYPE",
                    limit: isStored
                );
            if (ManifestMediaType.IsFirstSchema(mediaType))
                throw request.Fault(
                    response.Status,
                    "Docker schema 1 manifests cannot be copied with their digest; push the image again with a current tool",
                    limit: true
                );
            var digest = hasReference ? named : Digest.OfBytes(bytes.Span);
            if (hasReference && !isStored)
                throw request.Fault(response.Status, $"the content has the digest {Digest.OfBytes(bytes.Span)}");
            if (hasHeader && !header.Matches(bytes.Span))
                Log.WrongDigest(logger, request.Registry, request.Repository, reference, header, digest);
            return new Manifest(mediaType, digest, bytes);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "{Host}/{Repository}: the header of {Reference} has the digest {HeaderDigest}, "
                + "but its content has {Digest}; using the latter"
        )]
        public static partial void WrongDigest(
            ILogger logger,
            RegistryName host,
            string repository,
            string reference,
            Digest headerDigest,
            Digest digest
        );
    }
}
