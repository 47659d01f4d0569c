using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Reporting;

namespace ProxySwapper.Tests.Reporting;

/// <summary>The configuration of the release in the cluster, where none is given.</summary>
[TestFixture]
internal sealed class ReleaseConfigurationTests
{
    [Test]
    public async Task The_release_of_the_webhook_is_found()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddAsync(cluster, "swap", "webhook");
        await AddAsync(cluster, "other", "another-webhook");
        var options = await ReleaseConfiguration.FindAsync(cluster.Client, "webhook", default);
        Assert.That(options!.ProxyUrl, Is.EqualTo("swap.example.com"));
        Assert.That(await ReleaseConfiguration.FindAsync(cluster.Client, "third", default), Is.Null);
    }

    [Test]
    public async Task With_several_releases_none_is_guessed()
    {
        await using var cluster = await ReportCluster.StartAsync();
        await AddAsync(cluster, "blue", "webhook");
        await AddAsync(cluster, "green", "webhook");
        Assert.That(
            () => ReleaseConfiguration.FindAsync(cluster.Client, "webhook", default),
            Throws
                .TypeOf<ConfigurationException>()
                .With.Message.Contains(
                    "several releases use the webhook webhook: ConfigMap blue/proxyswapper, ConfigMap green/proxyswapper; "
                        + "use --config FILE or set PROXY_URL"
                )
        );
    }

    private static Task AddAsync(ReportCluster cluster, string @namespace, string webhook) =>
        cluster.AddAsync(
            $"/api/v1/namespaces/{@namespace}/configmaps",
            $$"""
            {"metadata": {"name": "proxyswapper", "labels": {"proxyswapper.io/webhook": "{{webhook}}"} },
             "data": {"config.yaml": "proxyUrl: {{@namespace}}.example.com\n"} }
            """
        );
}
