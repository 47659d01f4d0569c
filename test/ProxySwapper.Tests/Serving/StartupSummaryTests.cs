using Microsoft.Extensions.Logging;
using ProxySwapper.Configuration;
using ProxySwapper.Registry;
using ProxySwapper.Serving;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Serving;

[TestFixture]
internal sealed class StartupSummaryTests
{
    [Test]
    public async Task The_start_logs_targets_and_policies_as_the_configuration_spells_them()
    {
        var options = ConfigurationReader.ReadText(
            "c.yaml",
            "{proxyUrl: r.example, swapPolicy: exists, populate: {policy: delayed}}",
            EnvironmentVariables.None
        );
        using var log = new CapturedLog();
        await new StartupSummary(options, log.CreateLogger<StartupSummary>()).StartAsync(default);
        Assert.That(log.Text, Is.EqualTo("Images go to r.example; rules: 1, swapPolicy: exists, populate.policy: delayed"));
    }
}
