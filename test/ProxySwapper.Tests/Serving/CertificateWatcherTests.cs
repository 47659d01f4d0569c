using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Serving;

/// <summary>The metrics of the webhook's certificate. That new files are picked up is in <see cref="ServingCertificateTests"/>.</summary>
[TestFixture]
internal sealed class CertificateWatcherTests
{
    [Test]
    public void Renewals_of_a_certificate_without_files_are_counted_but_not_the_first_one()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var certificates = new TestCertificates();
        var (placeholder, itsKey) = certificates.Issue();
        var certificate = ServingCertificate.FromPem(placeholder, itsKey);
        using var watcher = new CertificateWatcher(certificate, meters, TimeProvider.System, NullLogger<CertificateWatcher>.Instance);
        var counted = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, owner) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name == "proxyswapper_certificate_renewals_total")
                owner.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => counted += measurement);
        listener.Start();
        List<long> counts = [];
        for (var number = 0; number < 3; number++)
        {
            var (next, key) = certificates.Issue();
            Assert.That(certificate.Replace(next, key), Is.True);
            watcher.Check();
            watcher.Check();
            counts.Add(counted);
        }
        Assert.That(counts, Is.EqualTo([0, 1, 2]));
    }
}
