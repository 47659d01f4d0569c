using System.Diagnostics.Metrics;
using ProxySwapper.Management;

namespace ProxySwapper.Serving;

/// <summary>Picks up a renewed certificate within seconds for new connections; open ones are not affected.</summary>
internal sealed partial class CertificateWatcher : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ServingCertificate _certificate;
    private readonly TimeProvider _time;
    private readonly ILogger<CertificateWatcher> _logger;
    private readonly Counter<long> _reads;
    private readonly Counter<long> _errors;
    private string? _lastError;
    private bool _hasReported;
    private int _renewals;

    public CertificateWatcher(ServingCertificate certificate, IMeterFactory meters, TimeProvider time, ILogger<CertificateWatcher> logger)
    {
        (_certificate, _time, _logger) = (certificate, time, logger);
        var meter = meters.Create("ProxySwapper");
        _reads = meter.CreateCounter<long>(
            "proxyswapper_certificate_renewals_total",
            unit: null,
            description: "Renewed TLS certificates of the webhook that were loaded.",
            tags: []
        );
        _errors = meter.CreateCounter<long>(
            "proxyswapper_certificate_read_errors_total",
            unit: null,
            description: "Failures to load the webhook's TLS certificate and key files.",
            tags: []
        );
        meter.CreateObservableGauge(
            "proxyswapper_certificate_expiry_timestamp_seconds",
            () => certificate.NotAfter.ToUnixTimeSeconds(),
            description: "Expiry time of the webhook's TLS certificate, in seconds since the Unix epoch."
        );
    }

    public string CheckName => "certificate";

    /// <summary>What is wrong with the certificate, if anything.</summary>
    public ReadinessState State => new(true, _certificate.ProblemAt(_time.GetUtcNow()) ?? _lastError ?? "");

    public void Check()
    {
        try
        {
            if (_certificate.Reload(_time.GetUtcNow()))
                Log.Renewed(_logger, _certificate.NotAfter);
            CountRenewals();
            _lastError = null;
        }
        catch (CertificateException exception)
        {
            _errors.Add(1);
            if (_lastError != exception.Message)
                Log.Unusable(_logger, exception.Message);
            _lastError = exception.Message;
        }
        if (_certificate.ProblemAt(_time.GetUtcNow()) is not { } problem)
            _hasReported = false;
        else if (!_hasReported)
        {
            _hasReported = true;
            Log.Invalid(_logger, problem);
        }
    }

    /// <summary>Counts those by <see cref="SelfSignedCertificateService"/> too.</summary>
    private void CountRenewals()
    {
        var renewals = _certificate.Renewals;
        if (renewals == _renewals)
            return;
        _reads.Add(renewals - _renewals);
        (_renewals, _hasReported) = (renewals, false);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, _time, _logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        do Check();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Now using a new serving certificate, valid until {NotAfter:u}")]
        public static partial void Renewed(ILogger logger, DateTimeOffset notAfter);

        [LoggerMessage(2, LogLevel.Error, "Keeping the current certificate: {Reason}")]
        public static partial void Unusable(ILogger logger, string reason);

        [LoggerMessage(
            3,
            LogLevel.Error,
            "The serving certificate {Problem}: API servers reject the webhook, and with failurePolicy Ignore, Pods keep their images"
        )]
        public static partial void Invalid(ILogger logger, string problem);
    }
}
