using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// Sends requests to one host with one credential source:
/// 1. wait for the concurrency and rate limits; 2. add the authorization that the host is known to require; 3. send and follow redirects;
/// 4. respond to a rejection with a better authorization; 5. retry after a transient failure.
/// </summary>
internal sealed partial class RegistryTransport(
    RegistryHost host,
    RegistryAuthenticator authenticator,
    RegistryOptions options,
    TimeProvider time,
    ILogger logger
)
{
    private const int MaxAuthorizations = 4;

    /// <summary>The longest pause for a rate limit of others' credentials: there may be other credentials to try.</summary>
    private static readonly TimeSpan LongestPauseForOthers = TimeSpan.FromSeconds(1);

    /// <summary>True once the host has given what was requested: its failures before may be caused by the credential.</summary>
    private volatile bool _hasSucceeded;

    public RegistryHost Host => host;

    public AuthenticationChallenge? Challenge => authenticator.Challenge;

    public RegistryOptions Options => options;

    public TimeProvider Time => time;

    /// <summary>Those of the last requests, for texts in content that is only understood later.</summary>
    public SentSecrets Secrets { get; } = new();

    /// <summary>Sends a request until it gets an expected status; once if it is not repeatable.</summary>
    /// <exception cref="RegistryException">The registry failed after all retries.</exception>
    public Task<RegistryResponse> SendAsync(RegistryRequest request, CancellationToken cancellationToken) =>
        SendAsync(request, Task.FromResult, cancellationToken);

    /// <summary>The same, including the reading of the response, which is retried too.</summary>
    /// <exception cref="RegistryException">The registry failed after all retries, or sent more than the limit.</exception>
    public async Task<T> SendAsync<T>(RegistryRequest request, Func<RegistryResponse, Task<T>> read, CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(options);
        while (true)
        {
            try
            {
                var response = await SendOnceAsync(request, null, cancellationToken);
                return await ReadAsync(request, response, read);
            }
            catch (RegistryException fault) when (request.IsRepeatable && fault.IsTransient)
            {
                if (!await PauseAsync(schedule, fault, cancellationToken))
                    throw;
            }
        }
    }

    /// <summary>
    /// Sends a request once, without retries after transient failures; with the given lease, if any, which the caller keeps.
    /// </summary>
    public async Task<RegistryResponse> SendOnceAsync(
        RegistryRequest request,
        AdaptiveConcurrencyLimiter.Lease? lease,
        CancellationToken cancellationToken
    )
    {
        var entered =
            lease ?? await (request.IsWriting ? host.WriteLimiter : host.ReadLimiter).EnterAsync(request.IsStream, cancellationToken);
        host.UsedAt = time.GetTimestamp();
        try
        {
            if (host.RateLimiter is { } limiter)
                await limiter.WaitAsync(cancellationToken);
            var response = await SendAuthorizedAsync(request, entered, cancellationToken);
            if (lease is null)
                response.Lease = entered;
            return response;
        }
        catch (Exception)
        {
            if (lease is null)
                entered.Dispose();
            throw;
        }
    }

    /// <summary>Waits as the schedule requires; false to give up.</summary>
    public async Task<bool> PauseAsync(RetrySchedule schedule, RegistryException fault, CancellationToken cancellationToken)
    {
        var isOfOthers = fault.Status == HttpStatusCode.TooManyRequests && !authenticator.IsOwn;
        if (isOfOthers && fault.RetryAfter > LongestPauseForOthers)
            return false;
        if (!authenticator.IsOwn && !_hasSucceeded && schedule.Tries > 0)
            return false;
        if (schedule.Next(fault.RetryAfter) is not { } pause)
            return false;
        RegistryMetrics.Retried(host.Name);
        Log.Retry(logger, pause.TotalSeconds, fault.Message);
        await Task.Delay(pause, time, cancellationToken);
        return true;
    }

    private static async Task<T> ReadAsync<T>(RegistryRequest request, RegistryResponse response, Func<RegistryResponse, Task<T>> read)
    {
        try
        {
            return await read(response);
        }
        catch (Exception fault)
        {
            response.Dispose();
            if (fault is InvalidDataException)
                throw request.Fault(response.Status, fault.Message, fault, limit: true);
            if (fault is SlowStreamException)
                throw request.Fault(response.Status, fault.Message, fault);
            if (fault is IOException or HttpRequestException)
                throw request.Fault(
                    response.Status,
                    $"the response ended early: {fault.GetBaseException().Message}",
                    fault,
                    transient: true
                );
            throw;
        }
    }

    private async Task<RegistryResponse> SendAuthorizedAsync(
        RegistryRequest request,
        AdaptiveConcurrencyLimiter.Lease lease,
        CancellationToken cancellationToken
    )
    {
        var authorization = await authenticator.AuthorizeAsync(request, cancellationToken);
        for (var tries = 1; ; tries++)
        {
            var response = await SendRecordedAsync(request, authorization, cancellationToken);
            if (request.Expected.Contains(response.Status))
            {
                lease.Succeeded();
                _hasSucceeded |= response.Status != HttpStatusCode.NotFound;
                return response;
            }
            var (rejection, isOwn, challenge) = await ReadRejectionAsync(response, request, cancellationToken);
            if (rejection.Status == HttpStatusCode.TooManyRequests && (authorization is null || authenticator.IsOwn))
                lease.Throttled(rejection.RetryAfter <= options.MaxRetryDelay ? rejection.RetryAfter : null);
            var better =
                isOwn && tries < MaxAuthorizations
                    ? await authenticator.ReauthorizeAsync(request, authorization, rejection, challenge, cancellationToken)
                    : null;
            if (better is null)
                throw rejection;
            if (!request.IsRepeatable)
                throw request.Fault(
                    rejection.Status,
                    "the authorization expired during the upload",
                    rejection,
                    rejection.Errors,
                    transient: true
                );
            authorization = better;
        }
    }

    private async Task<RegistryResponse> SendRecordedAsync(
        RegistryRequest request,
        RequestAuthorization? authorization,
        CancellationToken cancellationToken
    )
    {
        // Another host does not get it, but may have it from the registry, in the Location of an upload.
        request.Secrets.Add(authorization?.Header);
        Secrets.Add(request.Secrets);
        try
        {
            var response = await host.Sender.SendAsync(request, MayAuthorize(request) ? authorization?.Header : null, cancellationToken);
            RegistryMetrics.Responded(host.Name, request.Method, (int)response.Status);
            host.RateLimit.Observe(response);
            // Without the query, which may be signed. The path of an upload is the server's.
            if (logger.IsEnabled(LogLevel.Debug))
            {
                var address = request.ShowPath();
                Log.Responded(logger, request.Method, address, (int)response.Status);
            }
            return response;
        }
        catch (RegistryException fault)
        {
            RegistryMetrics.Responded(host.Name, request.Method, (int?)fault.Status);
            throw;
        }
    }

    /// <summary>A registry's Location may point an upload to another host, which does not get our credential.</summary>
    private bool MayAuthorize(RegistryRequest request) =>
        host.KnownAddress is { } own && RedirectingSender.IsSameOrigin(own, request.Address);

    private async Task<(RegistryException Rejection, bool IsOwn, AuthenticationChallenge? Challenge)> ReadRejectionAsync(
        RegistryResponse response,
        RegistryRequest request,
        CancellationToken cancellationToken
    )
    {
        using (response)
        {
            var isOwn = response.IsOwn && MayAuthorize(request);
            var rejection = await ErrorResponseReader.ReadAsync(response, request, null, time, cancellationToken);
            return (rejection, isOwn, isOwn ? AuthenticationChallenge.Of(response.Headers) : null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Address}: HTTP {Status}")]
        public static partial void Responded(ILogger logger, HttpMethod method, string address, int status);

        [LoggerMessage(Level = LogLevel.Information, Message = "Retrying in {Seconds:0.0} s: {Fault}")]
        public static partial void Retry(ILogger logger, double seconds, string fault);
    }
}
