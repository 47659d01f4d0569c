using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.Distribution;

/// <summary>One repository of a registry with one credential source.</summary>
internal sealed record RepositoryClient(RegistryClient Client, string Repository)
{
    /// <summary>The registry's name.</summary>
    public RegistryName Registry => Client.Registry;

    /// <inheritdoc cref="RegistryClient.LookUpManifestAsync"/>
    public Task<Descriptor?> LookUpManifestAsync(string reference, CancellationToken cancellationToken) =>
        Client.LookUpManifestAsync(Repository, reference, cancellationToken);

    /// <inheritdoc cref="RegistryClient.ResolveManifestAsync"/>
    public Task<Descriptor?> ResolveManifestAsync(string reference, CancellationToken cancellationToken) =>
        Client.ResolveManifestAsync(Repository, reference, cancellationToken);

    /// <inheritdoc cref="RegistryClient.GetManifestAsync"/>
    public Task<Manifest> GetManifestAsync(string reference, CancellationToken cancellationToken) =>
        Client.GetManifestAsync(Repository, reference, cancellationToken);

    /// <inheritdoc cref="RegistryClient.PutManifestAsync"/>
    public Task PutManifestAsync(string reference, Manifest manifest, CancellationToken cancellationToken) =>
        Client.PutManifestAsync(Repository, reference, manifest, cancellationToken);

    /// <inheritdoc cref="RegistryClient.FindBlobAsync"/>
    public Task<BlobPresence> FindBlobAsync(Descriptor blob, CancellationToken cancellationToken) =>
        Client.FindBlobAsync(Repository, blob, cancellationToken);

    /// <inheritdoc cref="RegistryClient.OpenBlobAsync"/>
    public Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken) =>
        Client.OpenBlobAsync(Repository, blob, cancellationToken);

    /// <inheritdoc cref="RegistryClient.MountBlobAsync"/>
    public Task<bool> MountBlobAsync(Digest digest, string fromRepository, CancellationToken cancellationToken) =>
        Client.MountBlobAsync(Repository, digest, fromRepository, cancellationToken);

    /// <inheritdoc cref="RegistryClient.UploadBlobAsync"/>
    public Task UploadBlobAsync(
        Descriptor blob,
        Func<CancellationToken, Task<Stream>> open,
        IProgress<long>? progress,
        CancellationToken cancellationToken
    ) => Client.UploadBlobAsync(Repository, blob, open, progress, cancellationToken);

    /// <inheritdoc cref="RegistryClient.ListReferrersAsync"/>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken) =>
        Client.ListReferrersAsync(Repository, subject, cancellationToken);

    /// <inheritdoc cref="RegistryClient.ListByReferrersTagAsync"/>
    public Task<IReadOnlyList<Descriptor>?> ListByReferrersTagAsync(Digest subject, CancellationToken cancellationToken) =>
        Client.ListByReferrersTagAsync(Repository, subject, cancellationToken);

    /// <inheritdoc cref="RegistryClient.FindMissingReferrersAsync"/>
    public Task<IReadOnlyList<Descriptor>> FindMissingReferrersAsync(
        string tag,
        IReadOnlyList<Descriptor> entries,
        CancellationToken cancellationToken
    ) => Client.FindMissingReferrersAsync(Repository, tag, entries, cancellationToken);

    /// <inheritdoc cref="RegistryClient.EnterReferrersAsync"/>
    public Task<bool> EnterReferrersAsync(string tag, IReadOnlyList<Descriptor> entries, CancellationToken cancellationToken) =>
        Client.EnterReferrersAsync(Repository, tag, entries, cancellationToken);
}
