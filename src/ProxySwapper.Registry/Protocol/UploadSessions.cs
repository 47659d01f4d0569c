using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace ProxySwapper.Registry.Protocol;

/// <summary>Opens and cancels uploads. A session that a registry offers instead of mounting a blob is kept for the upload that follows.</summary>
internal sealed class UploadSessions(RegistryTransport transport, RegistryRequests requests)
{
    private readonly ConcurrentDictionary<(string Repository, Digest Blob), UploadSession> _offered = new();

    public async Task<bool> MountAsync(string repository, Digest digest, string from, CancellationToken cancellationToken)
    {
        var request = await requests.ToMountAsync(repository, digest, from, cancellationToken);
        try
        {
            using var answer = await transport.SendAsync(request, cancellationToken);
            if (answer.Status == HttpStatusCode.Created) return true;
            if (SessionOf(answer) is { } session) _offered[(repository, digest)] = session;
            return false;
        }
        catch (RegistryException refusal) when (refusal.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && !refusal.IsRepositoryUnknown)
        {
            return false;
        }
    }

    public async Task<UploadSession> OpenAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        if (_offered.TryRemove((repository, digest), out var offered)) return offered;
        var request = await requests.ToStartUploadAsync(repository, cancellationToken);
        using var answer = await transport.SendAsync(request, cancellationToken);
        return SessionOf(answer) ?? throw request.Fault(answer.Status, "it opened an upload and did not say where");
    }

    /// <summary>Where a session is to be found after a step, which may have moved it.</summary>
    public static UploadSession After(UploadSession session, HttpAnswer answer) => answer.Location is { } next ? session with { Address = next } : session;

    /// <summary>Gives up a session, so that the registry needs not keep what came of it. That this fails is no fault of the upload.</summary>
    public async Task CancelAsync(string repository, UploadSession session)
    {
        using var limit = new CancellationTokenSource(transport.Options.ResponseTimeout / 6, transport.Time);
        try
        {
            using var answer = await transport.SendOnceAsync(requests.ToSession(HttpMethod.Delete, repository, session.Address), null, limit.Token);
        }
        catch (Exception fault) when (fault is RegistryException or OperationCanceledException or Credentials.RegistryCredentialException)
        {
        }
    }

    private static UploadSession? SessionOf(HttpAnswer answer) => answer.Location is { } address
        ? new UploadSession(address, long.TryParse(answer.Header("OCI-Chunk-Min-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var minimum) ? minimum : 0)
        : null;
}
