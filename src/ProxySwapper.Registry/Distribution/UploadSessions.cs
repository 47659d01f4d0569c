using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// Opens and cancels uploads. A session that a registry offers instead of mounting a blob is kept for the upload that follows.
/// </summary>
internal sealed class UploadSessions(RegistryTransport transport, RegistryRequests requests)
{
    private const string EcrService = "ecr.amazonaws.com";
    private readonly ConcurrentDictionary<(string Repository, Digest Blob), UploadSession> _offered = new();

    public async Task<bool> MountAsync(string repository, Digest digest, string from, CancellationToken cancellationToken)
    {
        var request = await requests.ToMountAsync(repository, digest, from, cancellationToken);
        try
        {
            using var answer = await PostAsync(request, cancellationToken);
            if (answer.Status == HttpStatusCode.Created)
                return true;
            if (SessionOf(answer) is { } session)
                _offered[(repository, digest)] = session;
            return false;
        }
        catch (RegistryException refusal)
            when (refusal.Status
                    is HttpStatusCode.BadRequest
                        or HttpStatusCode.Unauthorized
                        or HttpStatusCode.Forbidden
                        or HttpStatusCode.NotFound
                        or HttpStatusCode.MethodNotAllowed
                && !refusal.IsRepositoryUnknown
            )
        {
            return false;
        }
    }

    public async Task<UploadSession> OpenAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        if (_offered.TryRemove((repository, digest), out var offered))
            return offered;
        var request = await requests.ToStartUploadAsync(repository, cancellationToken);
        using var answer = await PostAsync(request, cancellationToken);
        return SessionOf(answer) ?? throw request.Fault(answer.Status, "it opened an upload and did not say where");
    }

    /// <summary>Where a session is to be found after a step, which may have moved it.</summary>
    public static UploadSession After(UploadSession session, RegistryResponse answer) =>
        answer.Location is { } next ? session with { Address = next } : session;

    /// <summary>
    /// Gives up a session, so that the registry needs not keep what came of it. That this fails is no fault of the upload.
    /// </summary>
    public async Task CancelAsync(string repository, UploadSession session)
    {
        using var limit = new CancellationTokenSource(transport.Options.ResponseTimeout / 6, transport.Time);
        try
        {
            using var answer = await transport.SendOnceAsync(
                requests.ToSession(HttpMethod.Delete, repository, session.Address),
                null,
                limit.Token
            );
        }
        catch (Exception fault) when (fault is RegistryException or OperationCanceledException or Credentials.RegistryCredentialException)
        { }
    }

    /// <summary>
    /// Opens an upload. ECR answers nothing at all for a repository that it does not have, so a dropped connection makes us ask: at once
    /// where the host is known as ECR, elsewhere before giving up.
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
                var isDropped = fault.Status is null;
                if (isDropped && transport.Challenge?.Service == EcrService)
                    await DemandRepositoryAsync(request, fault, cancellationToken);
                if (await transport.PauseAsync(schedule, fault, cancellationToken))
                    continue;
                if (isDropped)
                    await DemandRepositoryAsync(request, fault, cancellationToken);
                throw;
            }
        }
    }

    /// <exception cref="RegistryException">The repository does not exist.</exception>
    private async Task DemandRepositoryAsync(RegistryRequest upload, RegistryException fault, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await transport.SendOnceAsync(
                await requests.ToTagsAsync(upload.Repository, cancellationToken),
                null,
                cancellationToken
            );
        }
        catch (RegistryException refusal) when (refusal.IsRepositoryUnknown)
        {
            throw new RegistryException(
                upload.Method,
                upload.Registry,
                upload.Repository,
                null,
                refusal.Errors,
                "it dropped the upload, since it has no such repository",
                fault
            )
            {
                IsRepositoryUnknown = true,
            };
        }
        catch (RegistryException)
        {
            // Then it was the network after all.
        }
    }

    private static UploadSession? SessionOf(RegistryResponse answer) =>
        answer.Location is { } address
            ? new UploadSession(
                address,
                long.TryParse(answer.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum)
                    ? minimum
                    : 0
            )
            : null;
}
