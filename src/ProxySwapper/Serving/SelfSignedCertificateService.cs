using ProxySwapper.Certificates;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;
using ProxySwapper.Management;
using ProxySwapper.Registry;

namespace ProxySwapper.Serving;

/// <summary>
/// Maintains the program's own certificate: checks its Secret every few seconds, serves the certificate there to new connections, and
/// issues or renews what is missing or due. The process is not ready until the first check has succeeded, since its certificate would not
/// be trusted.
/// </summary>
internal sealed partial class SelfSignedCertificateService(
    SelfSignedOptions options,
    ServingCertificate certificate,
    EnvironmentVariables environment,
    TimeProvider time,
    ILogger<SelfSignedCertificateService> logger
) : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private string? _problem = "no certificate yet";
    private bool _hasCertificate;

    public string CheckName => "issued certificate";

    public ReadinessState State => new(_hasCertificate, _problem ?? "");

    /// <summary>The placeholder served until the first check; no client trusts it.</summary>
    public static ServingCertificate Temporary(SelfSignedOptions options)
    {
        var set = new CertificateIssuer(options.DnsNames, TimeProvider.System).Create();
        return ServingCertificate.FromPem(set.Certificate, set.Key);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundWork.KeepRunningAsync(WorkAsync, time, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        SelfSignedCertificates? certificates = null;
        do
        {
            try
            {
                certificates ??= Connect();
                if (await certificates.CheckAsync(stoppingToken) is { } set)
                    Take(set);
            }
            catch (Exception problem)
                when (problem is KubernetesException or KubernetesConnectionException or ConfigurationException or CertificateException
                    && !stoppingToken.IsCancellationRequested
                )
            {
                if (_problem != problem.Message)
                    Log.Failed(logger, options.Secret, problem.Message);
                _problem = problem.Message;
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private SelfSignedCertificates Connect()
    {
        var client = new KubernetesClient(KubernetesConnection.Find(null, null, environment, time), time, logger);
        var holder = environment["POD_NAME"] ?? Environment.MachineName;
        return new SelfSignedCertificates(
            new CertificateSecret(client, options.Secret, holder, time),
            options.Webhook is { } webhook ? new WebhookCaBundle(client, webhook) : null,
            new CertificateIssuer(options.DnsNames, time),
            time
        );
    }

    private void Take(CertificateSet set)
    {
        if (certificate.Replace(set.Certificate, set.Key))
            Log.Taken(logger, options.Secret, certificate.NotAfter);
        (_hasCertificate, _problem) = (true, null);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Now using the certificate of Secret {Secret}, valid until {NotAfter:u}")]
        public static partial void Taken(ILogger logger, string secret, DateTimeOffset notAfter);

        [LoggerMessage(2, LogLevel.Error, "Cannot check the certificate of Secret {Secret}: {Problem}")]
        public static partial void Failed(ILogger logger, string secret, string problem);
    }
}
