using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// One registry host with one credential source
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md">OCI distribution-spec 1.1</see>).
/// Retries, limits and authentication happen inside; every method throws <see cref="RegistryException"/> if the registry fails after all
/// retries, and <see cref="RegistryCredentialException"/> if no credential can be obtained.
/// </summary>
public sealed class RegistryClient
{
    private const int MaxMessageLength = 1000;

    private readonly RegistryHost _host;
    private readonly RegistryTransport _transport;
    private readonly RegistryRequests _requests;
    private readonly ManifestReader _manifests;
    private readonly ReferrersTag _referrersTag;
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
        _referrersTag = new ReferrersTag(_transport, _requests, _manifests);
        _referrers = new ReferrersReader(_transport, _requests, _referrersTag);
        _writer = new ManifestWriter(_transport, _requests, _manifests, _referrersTag);
        _sessions = new UploadSessions(_transport, _requests);
    }

    /// <summary>The registry's name.</summary>
    public RegistryName Registry => _host.Name;

    /// <summary>The host's last reported pull limit, or null if it never reported one (Docker Hub's <c>ratelimit-remaining</c>).</summary>
    public RateLimitStatus? RateLimit => _host.RateLimit.Status;

    /// <summary>A message with texts of this registry's content in it, without the secrets that were sent to the registry.</summary>
    internal string Show(string message) => _transport.Secrets.Show(message, MaxMessageLength);

    /// <summary>Checks that the registry responds and accepts our credentials: <c>GET /v2/</c>.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        using var response = await _transport.SendAsync(await _requests.ToPingAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Resolves a tag or digest without pulling it: HEAD. Null if it does not exist.</summary>
    /// <remarks>If a registry responds to a HEAD without a digest, the manifest is fetched to compute it.</remarks>
    public Task<Descriptor?> HeadManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.HeadAsync(repository, reference, cancellationToken);

    /// <summary>
    /// The same, but a failed HEAD is not trusted, since some registries respond to every HEAD with 404. For what should exist.
    /// </summary>
    public Task<Descriptor?> ResolveManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.ResolveAsync(repository, reference, cancellationToken);

    /// <summary>
    /// The same for what may be missing: a HEAD that finds nothing is trusted once another one has found a manifest at this registry.
    /// </summary>
    public Task<Descriptor?> LookUpManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.LookUpAsync(repository, reference, cancellationToken);

    /// <summary>Gets a manifest; if <paramref name="reference"/> is a digest, the content is verified.</summary>
    /// <remarks>Docker schema 1 manifests are rejected, since they cannot be copied with their digest.</remarks>
    public Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken) =>
        _manifests.GetAsync(repository, reference, cancellationToken);

    /// <summary>
    /// Writes a manifest under a tag or its digest. An immutable tag that already has this digest counts as written; one with another
    /// digest throws with <see cref="RegistryException.IsTagConflict"/>. A manifest with a subject is added to the fallback tag if the
    /// registry has no referrers API.
    /// </summary>
    public Task PutManifestAsync(string repository, string reference, Manifest manifest, CancellationToken cancellationToken) =>
        _writer.PutAsync(repository, reference, manifest, cancellationToken);

    /// <summary>Looks up a blob: HEAD. If the registry rejects the HEAD, the blob counts as missing.</summary>
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
            if (response.ContentHeaders.ContentLength is { } length)
                return length == blob.Size ? BlobPresence.Present : BlobPresence.OtherSize;
        }
        catch (RegistryException rejection) when (RegistryQuirks.IsHeadRejected(rejection))
        {
            return BlobPresence.Missing;
        }
        return blob.Size == 0 ? BlobPresence.Present : await FindLastByteAsync(repository, blob, cancellationToken);
    }

    /// <summary>
    /// Opens a blob for sequential reading. The stream resumes after broken connections, verifies length and digest, and throws
    /// <see cref="RegistryException"/> at the last read if they differ: content is only valid once the end has been read.
    /// </summary>
    public async Task<Stream> OpenBlobAsync(string repository, Descriptor blob, CancellationToken cancellationToken) =>
        await BlobDownloadStream.OpenAsync(
            _transport,
            await _requests.ToBlobAsync(HttpMethod.Get, repository, blob.Digest, cancellationToken),
            blob,
            cancellationToken
        );

    /// <summary>Mounts a blob from another repository of this host. False if the registry wants it uploaded.</summary>
    public Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken) =>
        _sessions.MountAsync(repository, digest, fromRepository, cancellationToken);

    /// <summary>
    /// Uploads a blob. <paramref name="open"/> is called once per attempt and must return the content from its start each time; the result
    /// is disposed here. A failure of the content ends the upload, since its provider does its own retries.
    /// </summary>
    /// <param name="repository">The repository to write to.</param>
    /// <param name="blob">Digest and size, which the registry must confirm.</param>
    /// <param name="open">Opens the content.</param>
    /// <param name="progress">Receives the bytes sent so far in the current attempt, or null.</param>
    /// <param name="cancellationToken">Cancels the upload; an open upload session is cancelled at the registry.</param>
    public Task UploadBlobAsync(
        string repository,
        Descriptor blob,
        Func<CancellationToken, Task<Stream>> open,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    ) => new BlobUpload(new UploadContext(_transport, _requests, repository, blob, open, progress), _sessions).RunAsync(cancellationToken);

    /// <summary>
    /// Checks whether we may write to a repository, by an upload that is started and cancelled. A missing repository is reported by
    /// <see cref="RegistryException.IsRepositoryUnknown"/>.
    /// </summary>
    public Task CheckUploadAsync(string repository, CancellationToken cancellationToken) =>
        _sessions.CheckAsync(repository, cancellationToken);

    /// <summary>The repository's tags in the registry's order, page by page.</summary>
    public IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken) =>
        TagLister.ReadAsync(_transport, _requests, repository, cancellationToken);

    /// <summary>The referrers of a manifest, such as signatures and SBOMs, from the referrers API or its fallback tag.</summary>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(string repository, Digest subject, CancellationToken cancellationToken) =>
        _referrers.ListAsync(repository, subject, cancellationToken);

    /// <summary>What the fallback tag of a manifest lists; null if the registry has the referrers API and needs no such tag.</summary>
    internal Task<IReadOnlyList<Descriptor>?> ListByReferrersTagAsync(
        string repository,
        Digest subject,
        CancellationToken cancellationToken
    ) => _referrers.ListByTagAsync(repository, subject, cancellationToken);

    /// <summary>Which of some entries the list of referrers under a fallback tag lacks.</summary>
    internal Task<IReadOnlyList<Descriptor>> FindMissingReferrersAsync(
        string repository,
        string tag,
        IReadOnlyList<Descriptor> entries,
        CancellationToken cancellationToken
    ) => _referrersTag.FindMissingAsync(repository, tag, entries, cancellationToken);

    /// <summary>Adds entries to the list of referrers under a fallback tag; false if it has them all.</summary>
    internal Task<bool> EnterReferrersAsync(
        string repository,
        string tag,
        IReadOnlyList<Descriptor> entries,
        CancellationToken cancellationToken
    ) => _writer.EnterAsync(repository, tag, entries, cancellationToken);

    /// <summary>The size of a blob whose HEAD had none: an interrupted upload can have left an empty one.</summary>
    private async Task<BlobPresence> FindLastByteAsync(string repository, Descriptor blob, CancellationToken cancellationToken)
    {
        var request = await _requests.ToBlobAsync(HttpMethod.Get, repository, blob.Digest, cancellationToken);
        using var response = await _transport.SendAsync(
            request with
            {
                From = blob.Size - 1,
                Expected =
                [
                    HttpStatusCode.OK,
                    HttpStatusCode.PartialContent,
                    HttpStatusCode.NotFound,
                    HttpStatusCode.RequestedRangeNotSatisfiable,
                ],
            },
            cancellationToken
        );
        var size =
            response.Status == HttpStatusCode.OK ? response.ContentHeaders.ContentLength : response.ContentHeaders.ContentRange?.Length;
        return response.Status switch
        {
            HttpStatusCode.NotFound => BlobPresence.Missing,
            HttpStatusCode.RequestedRangeNotSatisfiable => BlobPresence.OtherSize,
            _ => size is { } length && length != blob.Size ? BlobPresence.OtherSize : BlobPresence.Present,
        };
    }
}

/// <summary>The state of a blob in a repository.</summary>
public enum BlobPresence
{
    /// <summary>Missing, or not visible to a HEAD.</summary>
    Missing,

    /// <summary>Present.</summary>
    Present,

    /// <summary>Present with another length: it cannot be pulled and must be uploaded again.</summary>
    OtherSize,
}
