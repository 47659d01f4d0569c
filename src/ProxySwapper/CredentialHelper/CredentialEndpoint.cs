using System.Diagnostics.Metrics;
using System.Text.Json;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Timing;

namespace ProxySwapper.CredentialHelper;

/// <summary>
/// Handles <c>GET /credential?host=HOST</c> in the format of Docker's credential helpers' <c>get</c>, for configured registries only. The
/// caller may continue anonymously without a credential, so each such response is logged and counted.
/// </summary>
internal sealed partial class CredentialEndpoint : IReadinessCheck
{
    public const string Path = "/credential";

    /// <summary>The user name with which Azure's registry accepts a refresh token as a password.</summary>
    private const string TokenUser = "00000000-0000-0000-0000-000000000000";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly IRegistryCredentialSource _source;
    private readonly HashSet<RegistryName> _hosts;
    private readonly TimeProvider _time;
    private readonly ILogger<CredentialEndpoint> _logger;
    private readonly Counter<long> _requests;
    private volatile string? _fault;

    public CredentialEndpoint(
        IRegistryCredentialSource source,
        ProxySwapperOptions options,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<CredentialEndpoint> logger
    )
    {
        (_source, _time, _logger) = (source, time, logger);
        _hosts = options.Registries.Select(entry => entry.Host).ToHashSet();
        _requests = meters
            .Create("ProxySwapper")
            .CreateCounter<long>(
                "proxyswapper_credential_requests_total",
                description: "Requests of the registry cache for its upstream's credentials, by result."
            );
        // Alerts only work on series that exist before they grow.
        foreach (var outcome in Enum.GetValues<CredentialOutcome>())
            Count(outcome, 0);
    }

    public string CheckName => "credentials";

    /// <summary>Why the last request failed, if it did; always ready, since cached content needs no credential.</summary>
    public ReadinessState State => new(true, _fault ?? "");

    public async Task RespondAsync(HttpContext context)
    {
        var host = context.Request.Query["host"].ToString();
        if (!RegistryName.TryParse(host, out var registry) || !_hosts.Contains(registry))
        {
            Log.Rejected(_logger, host.Length > 255 ? host[..255] : host);
            await RejectAsync(context, CredentialOutcome.Refused, StatusCodes.Status403Forbidden, "not a configured registry");
            return;
        }
        try
        {
            using var timeout = new OperationTimeout(Timeout, _time, context.RequestAborted);
            var credential = await _source.GetAsync(ImageReference.Parse($"{registry}/credential"), timeout.Token);
            if (credential is null || credential.IsAnonymous)
            {
                Log.None(_logger, host);
                _fault = $"no source has a credential for {host}";
                await RejectAsync(context, CredentialOutcome.None, StatusCodes.Status404NotFound, _fault);
                return;
            }
            Count(CredentialOutcome.Ok, 1);
            _fault = null;
            await WriteAsync(context, host, credential);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone.
        }
        catch (Exception fault) when (fault is RegistryCredentialException or OperationCanceledException)
        {
            var reason = fault is OperationCanceledException ? $"timed out after {Timeout.TotalSeconds} s" : fault.Message;
            Log.Failed(_logger, host, reason);
            _fault = $"{host}: {reason}";
            await RejectAsync(context, CredentialOutcome.Failed, StatusCodes.Status502BadGateway, reason);
        }
    }

    private Task RejectAsync(HttpContext context, CredentialOutcome outcome, int status, string reason)
    {
        Count(outcome, 1);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n");
    }

    private static async Task WriteAsync(HttpContext context, string host, RegistryCredential credential)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        CredentialJson.Write(json, host, credential, TokenUser);
    }

    private void Count(CredentialOutcome outcome, int number) =>
        _requests.Add(number, new KeyValuePair<string, object?>("result", Enum.GetName(outcome)!.ToLowerInvariant()));

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Credential requested for {Host}, which is not a configured registry")]
        public static partial void Rejected(ILogger logger, string host);

        [LoggerMessage(2, LogLevel.Error, "No source has a credential for {Host}: the registry cache continues anonymously")]
        public static partial void None(ILogger logger, string host);

        [LoggerMessage(3, LogLevel.Error, "Cannot get the credential for {Host}, the registry cache continues anonymously: {Reason}")]
        public static partial void Failed(ILogger logger, string host, string reason);
    }
}

/// <summary>The result of a request for a credential; the names, in lower case, are the metric's label.</summary>
internal enum CredentialOutcome
{
    Ok,

    /// <summary>The sources work and have none for this registry.</summary>
    None,

    /// <summary>A source failed.</summary>
    Failed,

    /// <summary>The registry is not configured.</summary>
    Refused,
}
