using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Serving;

/// <summary>
/// The metrics, log and readiness of the webhook's certificate. That new files are picked up is in <see cref="ServingCertificateTests"/>.
/// </summary>
[TestFixture]
internal sealed class CertificateWatcherTests
{
    [Test]
    public void A_certificate_that_is_not_yet_valid_is_reported_once_and_again_when_it_expires()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var certificates = new TestCertificates();
        using var log = new CapturedLog();
        var time = new ManualTimeProvider();
        var (pem, key) = certificates.Issue(days: 30, start: time.GetUtcNow().AddDays(10));
        using var watcher = new CertificateWatcher(
            ServingCertificate.FromPem(pem, key),
            services.GetRequiredService<IMeterFactory>(),
            time,
            log.CreateLogger<CertificateWatcher>()
        );
        List<string> states = [];
        foreach (var days in new[] { 0, 11, 30 })
        {
            time.Advance(TimeSpan.FromDays(days));
            watcher.Check();
            watcher.Check();
            states.Add(watcher.State.Detail);
        }
        Assert.That(states[0], Does.StartWith("is not valid before"));
        Assert.That(states[1], Is.Empty);
        Assert.That(states[2], Does.StartWith("expired at"));
        Assert.That(
            log.Lines.Select(line => line.Text).Where(text => text.Contains("API servers reject the webhook", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "The serving certificate is not valid before", "The serving certificate expired at" })
                .Using<string, string>((text, start) => text.Contains(start, StringComparison.Ordinal))
        );
    }

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
