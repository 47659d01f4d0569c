using ProxySwapper.Certificates;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Management;

namespace ProxySwapper.Serving;

/// <summary>
/// Keeps the program's own certificate: looks every few seconds at its Secret, takes what is there into use for new connections, and
/// issues or renews what is missing or due. Until the first look succeeded the process is not ready: nobody would trust what it shows.
/// </summary>
internal sealed partial class SelfSignedCertificateService(
    SelfSignedOptions options,
    ServingCertificate certificate,
    Func<string, string?> environment,
    TimeProvider time,
    ILogger<SelfSignedCertificateService> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private string? _problem = "no certificate yet";
    private bool _hasCertificate;

    public ReadinessState State => new(_hasCertificate, _problem ?? "");

    /// <summary>What is shown until the first look: a certificate that nobody trusts.</summary>
    public static ServingCertificate Temporary(SelfSignedOptions options)
    {
        var set = new CertificateIssuer(options.DnsNames, TimeProvider.System).Create();
        return ServingCertificate.FromPem(set.Certificate, set.Key);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
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
                when (problem is KubernetesException or KubernetesConnectionException or CertificateException
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
        var client = new KubernetesClient(KubernetesConnection.Find(null, null, environment, time), time);
        var holder = environment("POD_NAME") ?? Environment.MachineName;
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
        [LoggerMessage(1, LogLevel.Information, "The certificate of Secret {Secret} is in use, valid until {NotAfter}")]
        public static partial void Taken(ILogger logger, string secret, DateTimeOffset notAfter);

        [LoggerMessage(2, LogLevel.Error, "The certificate of Secret {Secret} could not be checked: {Problem}")]
        public static partial void Failed(ILogger logger, string secret, string problem);
    }
}
