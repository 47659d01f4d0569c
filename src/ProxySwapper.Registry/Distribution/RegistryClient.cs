using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// One registry host, as one credential source sees it
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md">OCI distribution-spec 1.1</see>).
/// Retries, limits and authentication happen inside; every method throws <see cref="RegistryException"/> when the registry
/// finally refuses, and <see cref="RegistryCredentialException"/> when no credential can be had.
/// </summary>
public sealed class RegistryClient
{
    private readonly RegistryHost _host;
    private readonly RegistryTransport _transport;
    private readonly RegistryRequests _requests;
    private readonly ManifestReader _manifests;
    private readonly ReferrersReader _referrers;
    private readonly ManifestWriter _writer;
    private readonly UploadSessions _sessions;

    internal RegistryClient(
        HostAuthentication authentication,
        IRegistryCredentialSource credentials,
        RegistryOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        _host = authentication.Host;
        _transport = new RegistryTransport(_host, new RegistryAuthenticator(authentication, credentials), options, time, logger);
        _requests = new RegistryRequests(_host);
        _manifests = new ManifestReader(_transport, _requests, logger);
        _referrers = new ReferrersReader(_transport, _requests, _manifests);
        _writer = new ManifestWriter(_transport, _requests, _manifests);
        _sessions = new UploadSessions(_transport, _requests);
    }

    /// <summary>The host as references write it.</summary>
    public string Registry => _host.Name;

    /// <summary>
    /// What the host said last of the pulls that remain, or null when it never did (Docker Hub's <c>ratelimit-remaining</c>).
    /// </summary>
    public RateLimitStatus? RateLimit => _host.RateLimit.Status;

    /// <summary>The registry answers and lets us in: <c>GET /v2/</c>.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        using var response = await _transport.SendAsync(await _requests.ToPingAsync(cancellationToken), cancellationToken);
    }

    /// <summary>What a tag or digest points at, without pulling it: HEAD. Null when there is none.</summary>
    /// <remarks>Where a registry answers a HEAD without a digest, the manifest is fetched to compute it.</remarks>
    public Task<Descriptor?> HeadManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.HeadAsync(repository, reference, cancellationToken);

    /// <summary>
    /// The same, where a HEAD that shows nothing is not believed: some registries answer every HEAD with 404. For what should be there.
    /// </summary>
    public Task<Descriptor?> ResolveManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.ResolveAsync(repository, reference, cancellationToken);

    /// <summary>A manifest's bytes; when <paramref name="reference"/> is a digest they are proven to have it.</summary>
    /// <remarks>A manifest of Docker's first schema is refused, since it cannot be copied with its digest.</remarks>
    public Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.GetAsync(repository, reference, cancellationToken);

    /// <summary>
    /// Writes a manifest under a tag or its digest. An immutable tag that has this digest already counts as written; one with another
    /// throws with <see cref="RegistryException.IsTagConflict"/>. A manifest with a subject is entered in the tag that stands in for
    /// the referrers API where the registry has none.
    /// </summary>
    public Task PutManifestAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken) =>
        _writer.PutAsync(repository, reference, manifest, cancellationToken);

    /// <summary>What a repository has of a blob: HEAD. A registry that refuses the HEAD is taken to lack it.</summary>
    public async Task<BlobPresence> FindBlobAsync(string repository, Descriptor blob, CancellationToken cancellationToken)
    {
        var request = await _requests.ToBlobAsync(HttpMethod.Head, repository, blob.Digest, cancellationToken);
        try
        {
            using var response = await _transport.SendAsync(
                request with
                {
                    Expected = [HttpStatusCode.OK, HttpStatusCode.NotFound],
                },
                cancellationToken
            );
            if (response.Status == HttpStatusCode.NotFound)
                return BlobPresence.Missing;
            return response.ContentHeaders.ContentLength is { } length && length != blob.Size
                ? BlobPresence.OtherSize
                : BlobPresence.Present;
        }
        catch (RegistryException refusal) when (RegistryQuirks.IsHeadRefused(refusal))
        {
            return BlobPresence.Missing;
        }
    }

    /// <summary>
    /// Opens a blob for one reading from start to end. The stream resumes where a connection broke, checks length and digest, and
    /// throws <see cref="RegistryException"/> at the last read when they differ: content counts only after the end was read.
    /// </summary>
    public async Task<Stream> OpenBlobAsync(string repository, Descriptor blob, CancellationToken cancellationToken) =>
        await BlobDownloadStream.OpenAsync(
            _transport,
            await _requests.ToBlobAsync(HttpMethod.Get, repository, blob.Digest, cancellationToken),
            blob,
            cancellationToken
        );

    /// <summary>
    /// Makes a blob of another repository of this host appear in this one. False when the registry would rather have it uploaded.
    /// </summary>
    public Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken) =>
        _sessions.MountAsync(repository, digest, fromRepository, cancellationToken);

    /// <summary>
    /// Uploads a blob. <paramref name="open"/> is called once per try, and must give the content from its start each time; what it
    /// gives is disposed here. A fault of the content ends the upload as it is, since who gives it does its own retries.
    /// </summary>
    /// <param name="repository">The repository to write to.</param>
    /// <param name="blob">Digest and size, which the registry is held to.</param>
    /// <param name="open">Opens the content.</param>
    /// <param name="progress">Told the bytes sent so far in the current try, or null.</param>
    /// <param name="cancellationToken">Ends the upload; an upload session that is open is cancelled at the registry.</param>
    public Task UploadBlobAsync(
        string repository,
        Descriptor blob,
        Func<CancellationToken, Task<Stream>> open,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    ) => new BlobUpload(new UploadContext(_transport, _requests, repository, blob, open, progress), _sessions).RunAsync(cancellationToken);

    /// <summary>
    /// Asks whether we may write to a repository, by an upload that is opened and cancelled. That there is no such repository yet is told
    /// by <see cref="RegistryException.IsRepositoryUnknown"/>.
    /// </summary>
    public Task CheckUploadAsync(string repository, CancellationToken cancellationToken) =>
        _sessions.CheckAsync(repository, cancellationToken);

    /// <summary>The repository's tags in the registry's order, page by page.</summary>
    public IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken) =>
        TagLister.ReadAsync(_transport, _requests, repository, cancellationToken);

    /// <summary>What refers to a manifest: signatures, SBOMs. The referrers API, or the tag that stands in for it.</summary>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(string repository, Digest subject, CancellationToken cancellationToken) =>
        _referrers.ListAsync(repository, subject, cancellationToken);
}

/// <summary>What a repository has of a blob.</summary>
public enum BlobPresence
{
    /// <summary>Nothing, or nothing that a HEAD shows.</summary>
    Missing,

    /// <summary>The blob.</summary>
    Present,

    /// <summary>Something under its digest that has another length: it cannot be pulled, and has to be uploaded again.</summary>
    OtherSize,
}
