using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Timing;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Cluster;

/// <summary>What is shown of the Leases of all replicas.</summary>
[TestFixture]
internal sealed class ClaimWatchTests
{
    [TestCase(false, ExpectedResult = false)]
    [TestCase(true, ExpectedResult = true)]
    public async Task<bool> The_lease_of_a_replica_that_died_is_deleted_unless_it_is_renewed(bool isRenewed)
    {
        var time = new ManualTimeProvider();
        await using var server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { Time = time });
        using var client = ApiServers.Connect(server, @namespace: "proxyswapper", clock: time);
        var leases = new LeaseClient(client);
        var lease = await CreateAsync(leases, "left-behind", time);
        var kubernetes = new KubernetesAccess(client, "alive");
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var watch = WatchOf(kubernetes, services, time);
        using var abandoned = new AbandonedClaims(kubernetes, watch, time, NullLogger<AbandonedClaims>.Instance);
        await watch.StartAsync(default);
        await abandoned.StartAsync(default);
        await TestWait.UntilAsync(() => watch.Held.Count == 1, "the Lease");
        await time.WaitForTimerAsync(AbandonedClaims.Interval);
        var late = TimeSpan.FromMinutes(6);
        time.Advance(late);
        if (isRenewed)
        {
            await leases.TryUpdateAsync(lease with { RenewTime = time.GetUtcNow() }, default);
            await TestWait.UntilAsync(() => watch.Held.Count == 1, "the renewal");
        }
        await time.FireAsync(AbandonedClaims.Interval - late);
        await time.WaitForTimerAsync(AbandonedClaims.Interval);
        await watch.StopAsync(default);
        await abandoned.StopAsync(default);
        return await leases.GetAsync(lease.Namespace, lease.Name, default) is not null;
    }

    [Test]
    public async Task A_lease_that_may_not_be_deleted_keeps_no_other_from_being_deleted()
    {
        var time = new ManualTimeProvider();
        string? denied = null;
        await using var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Time = time,
                Interceptor = (context, next) =>
                {
                    var path = context.Request.Path.Value!;
                    if (
                        !HttpMethods.IsDelete(context.Request.Method)
                        || (Interlocked.CompareExchange(ref denied, path, null) ?? path) != path
                    )
                        return next(context);
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                    return Task.CompletedTask;
                },
            }
        );
        using var client = ApiServers.Connect(server, @namespace: "proxyswapper", clock: time);
        var leases = new LeaseClient(client);
        string[] names = ["one", "two", "three"];
        foreach (var name in names)
            await CreateAsync(leases, name, time);
        var kubernetes = new KubernetesAccess(client, "alive");
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var watch = WatchOf(kubernetes, services, time);
        using var abandoned = new AbandonedClaims(kubernetes, watch, time, NullLogger<AbandonedClaims>.Instance);
        await watch.StartAsync(default);
        await abandoned.StartAsync(default);
        await TestWait.UntilAsync(() => watch.Held.Count == names.Length, "the Leases");
        await time.FireAsync(AbandonedClaims.Interval);
        await time.WaitForTimerAsync(AbandonedClaims.Interval);
        await watch.StopAsync(default);
        await abandoned.StopAsync(default);
        var left = new List<string>();
        foreach (var name in names)
            if (await leases.GetAsync("proxyswapper", name, default) is not null)
                left.Add(name);
        Assert.That(left, Has.Count.EqualTo(1));
        Assert.That(denied, Does.EndWith($"/{left[0]}"), "the first that was to be deleted");
    }

    [Test]
    public async Task The_lease_of_a_replica_that_died_is_not_shown_as_a_copy_once_it_expired()
    {
        var time = new ManualTimeProvider();
        await using var server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { Time = time });
        using var client = ApiServers.Connect(server, @namespace: "proxyswapper", clock: time);
        // Its clock stands still, so that it renews nothing.
        var deads = new ManualTimeProvider();
        using var deadsClient = ApiServers.Connect(server, @namespace: "proxyswapper", clock: deads);
        var dead = new CopyClaims(new KubernetesAccess(deadsClient, "dead"), deads, NullLogger<CopyClaims>.Instance);
        var work = new CopyWork(ImageReference.Parse("up.example.com/app:1"), ImageReference.Parse("down.example.com/app:1"), []);
        // Never disposed.
        var (claim, _) = await dead.TryClaimAsync(work, default);
        Assert.That(claim, Is.Not.Null);

        var kubernetes = new KubernetesAccess(client, "alive");
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var measured = new MeterListener();
        var measurements = new Dictionary<string, int>(StringComparer.Ordinal);
        measured.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "proxyswapper_copy_claims")
                listener.EnableMeasurementEvents(instrument);
        };
        measured.SetMeasurementEventCallback<int>((_, value, tags, _) => measurements[(string)tags[0].Value!] = value);
        measured.Start();
        using var watch = WatchOf(kubernetes, services, time);
        await watch.StartAsync(default);
        await TestWait.UntilAsync(() => watch.Held.Count == 1, "the Lease");
        measured.RecordObservableInstruments();
        Assert.That(measurements["other"], Is.EqualTo(1));
        time.Advance(TimeSpan.FromSeconds(31));
        measured.RecordObservableInstruments();
        Assert.That((watch.Held.Count, measurements["other"], measurements["self"]), Is.EqualTo((0, 0, 0)));
        await watch.StopAsync(default);
    }

    private static async Task<Lease> CreateAsync(LeaseClient leases, string name, TimeProvider time) =>
        (
            await leases.TryCreateAsync(
                new Lease("proxyswapper", name)
                {
                    HolderIdentity = "dead",
                    Duration = CopyClaims.Duration,
                    AcquireTime = time.GetUtcNow(),
                    RenewTime = time.GetUtcNow(),
                    Labels = new Dictionary<string, string> { [CopyClaims.Label] = CopyClaims.LabelValue },
                },
                default
            )
        )!;

    private static ClaimWatch WatchOf(KubernetesAccess kubernetes, ServiceProvider services, TimeProvider time) =>
        new(
            kubernetes,
            new CopyClaims(kubernetes, time, NullLogger<CopyClaims>.Instance),
            new PopulationQueue(PopulateRules.Of(new()), time, new Backoff(() => 0.5)),
            new ConfigurationMonitor(RuleSet.Compile(new()), time.GetUtcNow()),
            services.GetRequiredService<IMeterFactory>(),
            time,
            NullLogger<ClaimWatch>.Instance
        );
}
