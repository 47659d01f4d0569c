using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// Opens and cancels uploads. A session that a registry offers instead of mounting a blob is kept for the upload that follows.
/// </summary>
internal sealed class UploadSessions(RegistryTransport transport, RegistryRequests requests)
{
    private readonly ConcurrentDictionary<(string Repository, Digest Blob), UploadSession> _offered = new();

    /// <summary>
    /// Mounts a blob; false if it has to be uploaded. A mount only saves an upload, so a failure, at the registry or at a token server that
    /// denies a token for two repositories, is neither an error nor retried.
    /// </summary>
    /// <exception cref="RegistryException">The target repository does not exist.</exception>
    public async Task<bool> MountAsync(string repository, Digest digest, string from, CancellationToken cancellationToken)
    {
        var request = await requests.ToMountAsync(repository, digest, from, cancellationToken);
        try
        {
            using var response = await transport.SendOnceAsync(request, null, cancellationToken);
            if (response.Status == HttpStatusCode.Created)
                return true;
            if (UploadSession.Of(response, request) is { } session)
                _offered[(repository, digest)] = session;
            return false;
        }
        catch (RegistryException rejection) when (!rejection.IsRepositoryUnknown)
        {
            if (IsDropped(rejection) && RegistryQuirks.DropsUploadsToUnknownRepositories(transport.Challenge?.Service))
                await EnsureRepositoryExistsAsync(request, rejection, cancellationToken);
            return false;
        }
    }

    public async Task<UploadSession> OpenAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        if (_offered.TryRemove((repository, digest), out var offered))
            return offered;
        var request = await requests.ToStartUploadAsync(repository, digest, cancellationToken);
        using var response = await PostAsync(request, cancellationToken);
        return UploadSession.Of(response, request) ?? throw request.Fault(response.Status, "it opened an upload without a Location");
    }

    /// <summary>Opens and cancels an upload, to check that we may write.</summary>
    public async Task CheckAsync(string repository, CancellationToken cancellationToken)
    {
        var probe = Digest.OfBytes([]);
        var session = await OpenAsync(repository, probe, cancellationToken);
        await CancelAsync(requests.ToSession(HttpMethod.Delete, repository, probe, session));
    }

    /// <summary>Cancels a session, so that the registry can discard its data. A failure is ignored.</summary>
    public Task CancelAsync(UploadContext upload, UploadSession session) => CancelAsync(upload.ToSession(HttpMethod.Delete, session));

    private async Task CancelAsync(RegistryRequest request)
    {
        using var timeout = new OperationTimeout(transport.Options.ResponseTimeout / 6, transport.Time, CancellationToken.None);
        try
        {
            using var response = await transport.SendOnceAsync(request, null, timeout.Token);
        }
        catch (Exception fault) when (fault is RegistryException or OperationCanceledException or RegistryCredentialException) { }
    }

    /// <summary>
    /// Opens an upload. A dropped connection may mean that the repository does not exist: if the host is known to do that, it is checked at
    /// once, otherwise before giving up.
    /// </summary>
    private async Task<RegistryResponse> PostAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(transport.Options);
        while (true)
        {
            try
            {
                return await transport.SendOnceAsync(request, null, cancellationToken);
            }
            catch (RegistryException fault) when (fault.IsTransient)
            {
                if (IsDropped(fault) && RegistryQuirks.DropsUploadsToUnknownRepositories(transport.Challenge?.Service))
                    await EnsureRepositoryExistsAsync(request, fault, cancellationToken);
                if (await transport.PauseAsync(schedule, fault, cancellationToken))
                    continue;
                if (IsDropped(fault))
                    await EnsureRepositoryExistsAsync(request, fault, cancellationToken);
                throw;
            }
        }
    }

    private static bool IsDropped(RegistryException fault) => fault is { Status: null, IsTransient: true };

    /// <exception cref="RegistryException">The repository does not exist.</exception>
    private async Task EnsureRepositoryExistsAsync(RegistryRequest upload, RegistryException fault, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await transport.SendOnceAsync(
                await requests.ToTagsAsync(upload.Repository, cancellationToken),
                null,
                cancellationToken
            );
        }
        catch (RegistryException rejection) when (rejection.IsRepositoryUnknown)
        {
            throw upload.Fault(
                null,
                "it dropped the upload because the repository does not exist",
                fault,
                rejection.Errors,
                repositoryUnknown: true
            );
        }
        catch (RegistryException)
        {
            // So it was the network after all.
        }
    }
}

/// <summary>An upload session.</summary>
/// <param name="Address">Where it continues: the latest <c>Location</c>.</param>
/// <param name="ChunkMinLength">The registry's minimum chunk size, or 0 if unspecified.</param>
/// <param name="RedirectedTo">The origin of the address for errors, if it is not the registry's own.</param>
internal sealed record UploadSession(Uri Address, long ChunkMinLength, string? RedirectedTo)
{
    /// <summary>The session that a response opens or offers; null without a Location.</summary>
    /// <exception cref="RegistryException">The location is not allowed.</exception>
    public static UploadSession? Of(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } address
            ? new UploadSession(
                address,
                long.TryParse(response.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                    ? minimum
                    : 0,
                OriginOf(address, response, request)
            )
            : null;

    /// <summary>The session after a step, which may have moved it.</summary>
    /// <exception cref="RegistryException">The location is not allowed.</exception>
    public UploadSession After(RegistryResponse response, RegistryRequest request) =>
        LocationOf(response, request) is { } next ? this with { Address = next, RedirectedTo = OriginOf(next, response, request) } : this;

    /// <summary>The session at the URL that completes it: the digest is added to the existing query.</summary>
    public UploadSession ToFinish(Digest digest)
    {
        var separator =
            Address.Query.Length > 1 ? "&"
            : Address.Query.Length == 1 ? ""
            : "?";
        return this with { Address = new Uri($"{Address.AbsoluteUri}{separator}digest={Uri.EscapeDataString(digest.ToString())}") };
    }

    private static string? OriginOf(Uri session, RegistryResponse response, RegistryRequest request) =>
        RedirectingSender.IsSameOrigin(session, request.Address)
            ? request.RedirectedTo
            : request.Secrets.ShowOrigin(response.Header("Location"), session);

    /// <summary>
    /// Registries behind a proxy do not know their own scheme and port: on the same host, ours are used. Another host is allowed if a
    /// redirect to it would be.
    /// </summary>
    private static Uri? LocationOf(RegistryResponse response, RegistryRequest request)
    {
        if (response.Location is not { } location)
            return null;
        var own = response.Address;
        if (location.IsAbsoluteUri && location.IdnHost.Equals(own.IdnHost, StringComparison.OrdinalIgnoreCase))
            return new UriBuilder(location) { Scheme = own.Scheme, Port = own.Port }.Uri;
        if (RedirectingSender.Validate(own, location) is { } rejection)
            throw request.Fault(
                response.Status,
                $"its upload Location is {request.Secrets.ShowOrigin(response.Header("Location"), location)}, {rejection}"
            );
        return location;
    }
}
