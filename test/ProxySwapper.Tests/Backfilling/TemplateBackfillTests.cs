using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Backfilling;
using ProxySwapper.Configuration;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registries;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;
using ProxySwapper.Tests.Reporting;

namespace ProxySwapper.Tests.Backfilling;

[TestFixture]
internal sealed class TemplateBackfillTests
{
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_pass_queues_nothing_by_rules_that_a_reload_has_replaced(bool isReloaded)
    {
        var time = new ManualTimeProvider();
        ConfigurationMonitor rules = null!;
        await using var target = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    if (isReloaded)
                        rules.Apply(RuleSet.Compile(new()), time.GetUtcNow());
                    return next(context);
                },
            }
        );
        var options = new ProxySwapperOptions { Rules = [new() { Match = "docker.io", Target = $"{target.Address}/hub" }] };
        rules = new ConfigurationMonitor(RuleSet.Compile(options), time.GetUtcNow());
        await using var cluster = await ReportCluster.StartAsync();
        await cluster.AddTemplateAsync("apps/v1", "deployments", "web", "nginx:1");
        using var registries = RegistryServices.Create([], EnvironmentVariables.None, TimeProvider.System, NullLoggerFactory.Instance);
        var queue = new PopulationQueue(rules, time, new Backoff(() => 0.5));
        using var backfill = new TemplateBackfill(
            new KubernetesAccess(cluster.Client),
            rules,
            queue,
            new DownstreamLookup(queue, registries, rules, time, NullLogger<DownstreamLookup>.Instance),
            new FailedImages(time),
            time,
            NullLogger<TemplateBackfill>.Instance
        );
        var pass = backfill.RunAsync(cluster.Client, default);
        if (isReloaded)
        {
            Assert.That((await pass, queue.WaitingCount), Is.EqualTo((false, 0)));
            return;
        }
        // The pass waits for the image.
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1));
        Assert.That(queue.WaitingCount, Is.EqualTo(1));
        queue.Close();
        await time.FireAsync(TimeSpan.FromSeconds(1));
        Assert.That(await pass, Is.True);
    }
}
