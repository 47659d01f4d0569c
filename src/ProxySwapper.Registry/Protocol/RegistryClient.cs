using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Credentials;

namespace ProxySwapper.Registry.Protocol;

/// <summary>
/// One registry host, as one credential source sees it
/// (<see href="https://github.com/opencontainers/distribution-spec/blob/main/spec.md">OCI distribution-spec 1.1</see>).
/// Retries, limits and authentication happen inside; every method throws <see cref="RegistryException"/> when the registry
/// finally refuses, and <see cref="RegistryCredentialException"/> when no credential can be had.
/// </summary>
public sealed class RegistryClient
{
    internal RegistryClient(string registry, IRegistryCredentialSource credentials, RegistryOptions options, TimeProvider time, ILoggerFactory loggers) =>
        (Registry, _, _, _, _) = (registry, credentials, options, time, loggers);

    /// <summary>The host as references write it.</summary>
    public string Registry { get; }

    /// <summary>The registry answers and lets us in: <c>GET /v2/</c>.</summary>
    public Task PingAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What a tag or digest points at, without pulling it: HEAD. Null when there is none.</summary>
    /// <remarks>Where a registry answers a HEAD without a digest, the manifest is fetched to compute it.</remarks>
    public Task<Descriptor?> HeadManifestAsync(string repository, string reference, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>A manifest's bytes; when <paramref name="reference"/> is a digest they are proven to have it.</summary>
    public Task<ManifestContent> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Writes a manifest under a tag or its digest. An immutable tag that has this digest already counts as written.</summary>
    public Task PutManifestAsync(string repository, string reference, ManifestContent manifest, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>True when the repository has the blob: HEAD.</summary>
    public Task<bool> HasBlobAsync(string repository, Digest digest, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// Opens a blob for one reading from start to end. The stream resumes where a connection broke, checks length and digest, and
    /// throws <see cref="RegistryException"/> at the last read when they differ: content counts only after the end was read.
    /// </summary>
    public Task<Stream> OpenBlobAsync(string repository, Descriptor blob, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Makes a blob of another repository of this host appear in this one. False when the registry would rather have it uploaded.</summary>
    public Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// Uploads a blob. <paramref name="open"/> is called once per try, and must give the content from its start each time; what it
    /// gives is disposed here.
    /// </summary>
    /// <param name="repository">The repository to write to.</param>
    /// <param name="blob">Digest and size, which the registry is held to.</param>
    /// <param name="open">Opens the content.</param>
    /// <param name="progress">Told the bytes sent so far in the current try, or null.</param>
    /// <param name="cancellationToken">Ends the upload; an upload session that is open is cancelled at the registry.</param>
    public Task UploadBlobAsync(string repository, Descriptor blob, Func<CancellationToken, Task<Stream>> open, IProgress<long>? progress, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The repository's tags in the registry's order, page by page.</summary>
    public IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What refers to a manifest: signatures, SBOMs. The referrers API, or the tag that stands in for it.</summary>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(string repository, Digest subject, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What the host said last of the pulls that remain, or null when it never did (Docker Hub's <c>ratelimit-remaining</c>).</summary>
    public RateLimitStatus? RateLimit { get; }
}
