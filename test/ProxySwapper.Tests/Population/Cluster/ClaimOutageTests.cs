using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Cluster;

/// <summary>Claims of a replica that cannot reach the API server, alone or with all others.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ClaimOutageTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly CopyWork Work = new(
        ImageReference.Parse("up.example.com/app:1"),
        ImageReference.Parse("down.example.com/app:1"),
        []
    );

    private readonly ManualTimeProvider _time = new();
    private readonly CapturedLog _log = new();
    private InMemoryApiServer _server = null!;
    private KubernetesClient _ones = null!;
    private KubernetesClient _twos = null!;

    /// <summary>What happens to the requests of the replica <c>one</c>; null for a response.</summary>
    private volatile Func<HttpContext, Task>? _fault;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Time = _time,
                Interceptor = (context, next) =>
                    _fault is { } fault && context.Request.Headers.Authorization == "Bearer one" ? fault(context) : next(context),
            }
        );
        _ones = ApiServers.Connect(_server, "one", "proxyswapper", _time);
        _twos = ApiServers.Connect(_server, "two", "proxyswapper", _time);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _ones.Dispose();
        _twos.Dispose();
        await _server.DisposeAsync();
    }

    public void Dispose() => _log.Dispose();

    [TestCase("aborts")]
    [TestCase("hangs")]
    [TestCase("500")]
    [TestCase("401")]
    [TestCase("odd")]
    public async Task A_claim_that_cannot_be_renewed_is_lost_before_another_replica_takes_it(string fault)
    {
        var (one, two) = (Replica("one", _ones), Replica("two", _twos));
        var claim = (await one.TryClaimAsync(Work, default)).Claim!;
        _fault = FaultOf(fault);
        for (var second = 1; second < CopyClaim.Validity.TotalSeconds; second++)
        {
            await PassAsync();
            Assert.That(
                (claim.Lost.IsCancellationRequested, (await two.TryClaimAsync(Work, default)).Claim),
                Is.EqualTo((false, (CopyClaim?)null))
            );
        }
        await PassAsync();
        await TestWait.UntilAsync(() => claim.Lost.IsCancellationRequested, "the loss");
        Assert.That(claim.IsTaken, Is.False);
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null, "the copy has stopped before");
        for (var second = CopyClaim.Validity; second < CopyClaims.Duration; second += Second)
            await PassAsync();
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
        _fault = null;
        await claim.DisposeAsync();
        Assert.That(
            (await new LeaseClient(_twos).GetAsync("proxyswapper", CopyClaims.NameOf(Work.Key), default))!.HolderIdentity,
            Is.EqualTo("two")
        );
    }

    [Test]
    public async Task A_claim_whose_renewals_fail_for_a_short_time_is_kept()
    {
        var claim = (await Replica("one", _ones).TryClaimAsync(Work, default)).Claim!;
        _fault = FaultOf("aborts");
        await _time.FireAsync(CopyClaims.RenewInterval);
        await TestWait.UntilAsync(() => _log.Text.Contains("Cannot renew Lease", StringComparison.Ordinal), "the failure");
        await _time.WaitForTimerAsync(CopyClaim.RetryInterval);
        _fault = null;
        foreach (var pause in new[] { CopyClaim.RetryInterval, CopyClaims.RenewInterval, CopyClaims.RenewInterval })
        {
            var before = Renewals;
            await _time.FireAsync(pause);
            await TestWait.UntilAsync(() => Renewals > before, "a renewal");
        }
        // The response to the last one has come.
        await _time.WaitForTimerAsync(CopyClaims.RenewInterval);
        Assert.That(claim.Lost.IsCancellationRequested, Is.False);
        await claim.DisposeAsync();
    }

    [TestCase("aborts")]
    [TestCase("500")]
    [TestCase("429")]
    [TestCase("401")]
    public async Task An_api_server_that_does_not_respond_is_waited_for_before_an_image_is_copied_without_a_claim(string fault)
    {
        var one = Replica("one", _ones);
        _fault = FaultOf(fault);
        var result = await one.TryClaimAsync(Work, default);
        Assert.That((result.Claim, result.NextTry), Is.EqualTo(((CopyClaim?)null, _time.GetUtcNow() + Second)));
        _time.Advance(CopyClaims.UnreachableTimeout - Second);
        Assert.That((await one.TryClaimAsync(Work, default)).Claim, Is.Null);
        _time.Advance(Second);
        Assert.That((await one.TryClaimAsync(Work, default)).Claim, Is.SameAs(CopyClaim.None));
        Assert.That(
            _log.Text,
            Does.Contain("nothing is copied for 2 min").And.Contain("without a Lease, and possibly by other replicas too")
        );
        _fault = null;
        var claimed = (await one.TryClaimAsync(Work, default)).Claim!;
        Assert.That(claimed, Is.Not.SameAs(CopyClaim.None));
        await claimed.DisposeAsync();
        // The next outage is waited for again.
        _fault = FaultOf(fault);
        Assert.That((await one.TryClaimAsync(Work, default)).Claim, Is.Null);
    }

    private int Renewals => _server.Requests.GetValueOrDefault("update leases");

    private static Func<HttpContext, Task> FaultOf(string name) =>
        name switch
        {
            "aborts" => context =>
            {
                context.Abort();
                return Task.CompletedTask;
            },
            // Half of a surrogate pair as a label's name.
            "odd" => context =>
            {
                context.Response.ContentType = "application/json";
                return context.Response.WriteAsync("""{"metadata":{"uid":"u","resourceVersion":"1","labels":{"\ud800":"x"}}}""");
            },
            "hangs" => context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted),
            _ => context =>
            {
                context.Response.StatusCode = int.Parse(name, System.Globalization.CultureInfo.InvariantCulture);
                return Task.CompletedTask;
            },
        };

    /// <summary>Advances the clock by a second, and lets those who waited for it act.</summary>
    private Task PassAsync()
    {
        _time.Advance(Second);
        return Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
    }

    private CopyClaims Replica(string name, KubernetesClient client) =>
        new(new KubernetesAccess(client, name), _time, _log.CreateLogger<CopyClaims>());
}
