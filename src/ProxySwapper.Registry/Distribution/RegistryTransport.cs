using System.Net;
using Microsoft.Extensions.Logging;
using ProxySwapper.Registry.Authentication;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registry.Distribution;

/// <summary>
/// Sends requests to one host with one credential source:
/// 1. wait for a place and a turn; 2. add what the host is known to ask for; 3. send and follow redirects;
/// 4. answer a refusal with a better grant; 5. pause and begin again after a passing fault.
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

    public RegistryHost Host => host;

    public AuthenticationChallenge? Challenge => authenticator.Challenge;

    public RegistryOptions Options => options;

    public TimeProvider Time => time;

    /// <summary>Sends a request until it is answered with a status that it expects; a request that can't be repeated, once.</summary>
    /// <exception cref="RegistryException">The registry finally refused, or could not be reached.</exception>
    public Task<RegistryResponse> SendAsync(RegistryRequest request, CancellationToken cancellationToken) =>
        SendAsync(request, Task.FromResult, cancellationToken);

    /// <summary>The same, with what is read of the answer as part of it: an answer that breaks off is asked for again.</summary>
    /// <exception cref="RegistryException">The registry finally refused, could not be reached, or sends more than is read.</exception>
    public async Task<T> SendAsync<T>(RegistryRequest request, Func<RegistryResponse, Task<T>> read, CancellationToken cancellationToken)
    {
        var schedule = new RetrySchedule(options);
        while (true)
        {
            try
            {
                var answer = await SendOnceAsync(request, null, cancellationToken);
                return await ReadAsync(request, answer, read);
            }
            catch (RegistryException fault) when (request.IsRepeatable && fault.IsTransient)
            {
                if (!await PauseAsync(schedule, fault, cancellationToken))
                    throw;
            }
        }
    }

    /// <summary>
    /// Sends a request once, without a second try after a passing fault; in this place when one is given, which stays the caller's.
    /// </summary>
    public async Task<RegistryResponse> SendOnceAsync(
        RegistryRequest request,
        AdaptiveConcurrencyLimiter.Lease? lease,
        CancellationToken cancellationToken
    )
    {
        var entered = lease ?? await (request.IsWriting ? host.Writing : host.Reading).EnterAsync(request.IsStream, cancellationToken);
        try
        {
            if (host.Pacer is { } pacer)
                await pacer.WaitAsync(cancellationToken);
            var answer = await SendAuthorizedAsync(request, entered, cancellationToken);
            if (lease is null)
                answer.Lease = entered;
            return answer;
        }
        catch (Exception)
        {
            if (lease is null)
                entered.Dispose();
            throw;
        }
    }

    /// <summary>Waits as long as the schedule says; false when it says to give up.</summary>
    public async Task<bool> PauseAsync(RetrySchedule schedule, RegistryException fault, CancellationToken cancellationToken)
    {
        if (schedule.Next(fault) is not { } pause)
            return false;
        RegistryMetrics.Retried(host.Name);
        Log.Retry(logger, pause.TotalSeconds, fault.Message);
        await Task.Delay(pause, time, cancellationToken);
        return true;
    }

    private static async Task<T> ReadAsync<T>(RegistryRequest request, RegistryResponse answer, Func<RegistryResponse, Task<T>> read)
    {
        try
        {
            return await read(answer);
        }
        catch (Exception fault)
        {
            answer.Dispose();
            if (fault is InvalidDataException)
                throw request.Fault(answer.Status, fault.Message, fault);
            if (fault is IOException or HttpRequestException)
                throw request.Fault(answer.Status, $"the answer broke off: {fault.GetBaseException().Message}", fault, transient: true);
            throw;
        }
    }

    private async Task<RegistryResponse> SendAuthorizedAsync(
        RegistryRequest request,
        AdaptiveConcurrencyLimiter.Lease lease,
        CancellationToken cancellationToken
    )
    {
        var grant = await authenticator.AuthorizeAsync(request, cancellationToken);
        for (var grants = 1; ; grants++)
        {
            var answer = await ExchangeAsync(request, grant, cancellationToken);
            if (request.Expected.Contains(answer.Status))
            {
                lease.Succeeded();
                return answer;
            }
            var (refusal, isOwn, challenge) = await RefusalAsync(answer, request, cancellationToken);
            if (refusal.Status == HttpStatusCode.TooManyRequests)
                lease.Refused(refusal.RetryAfter <= options.MaxRetryDelay ? refusal.RetryAfter : null);
            var better =
                isOwn && grants < MaxAuthorizations
                    ? await authenticator.ReauthorizeAsync(request, grant, refusal, challenge, cancellationToken)
                    : null;
            if (better is null)
                throw refusal;
            if (!request.IsRepeatable)
                throw request.Fault(refusal.Status, "the grant ended during the upload", refusal, refusal.Errors, transient: true);
            grant = better;
        }
    }

    private async Task<RegistryResponse> ExchangeAsync(
        RegistryRequest request,
        RequestAuthorization? grant,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var answer = await host.Exchange.SendAsync(request, MayAuthorize(request) ? grant?.Header : null, cancellationToken);
            RegistryMetrics.Answered(host.Name, request.Method, (int)answer.Status);
            host.RateLimit.Observe(answer);
            return answer;
        }
        catch (RegistryException fault)
        {
            RegistryMetrics.Answered(host.Name, request.Method, (int?)fault.Status);
            throw;
        }
    }

    /// <summary>A registry may send an upload elsewhere by its Location; our credential does not go there.</summary>
    private bool MayAuthorize(RegistryRequest request) =>
        host.KnownAddress is { } own && RedirectingSender.IsSameOrigin(own, request.Address);

    private async Task<(RegistryException Refusal, bool IsOwn, AuthenticationChallenge? Challenge)> RefusalAsync(
        RegistryResponse answer,
        RegistryRequest request,
        CancellationToken cancellationToken
    )
    {
        using (answer)
        {
            var isOwn = answer.IsOwn && MayAuthorize(request);
            var refusal = await ErrorResponseReader.ReadAsync(answer, request, null, time, cancellationToken);
            return (refusal, isOwn, isOwn ? AuthenticationChallenge.Of(answer.Headers) : null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Trying again in {Seconds:0.0} s: {Fault}")]
        public static partial void Retry(ILogger logger, double seconds, string fault);
    }
}
