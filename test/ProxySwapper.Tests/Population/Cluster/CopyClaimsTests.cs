using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Population.Cluster;

/// <summary>Two replicas and their Leases on an API server in this process.</summary>
[TestFixture]
internal sealed class CopyClaimsTests
{
    private static readonly CopyWork Work = new(
        ImageReference.Parse("up.example.com/app:1"),
        ImageReference.Parse("down.example.com/app:1"),
        []
    );

    private readonly ManualTimeProvider _time = new();
    private volatile bool _losesResponses;
    private volatile bool _holdsDeletion;
    private TaskCompletionSource _heldDeletion = null!;
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _losesResponses = _holdsDeletion = false;
        _heldDeletion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Time = _time,
                Interceptor = async (context, next) =>
                {
                    if (_holdsDeletion && context.Request.Method == HttpMethods.Delete)
                    {
                        _heldDeletion.TrySetResult();
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
                    }
                    await next(context);
                    if (_losesResponses && context.Request.Method == HttpMethods.Put)
                        context.Abort();
                },
            }
        );
        _client = ApiServers.Connect(_server, @namespace: "proxyswapper", clock: _time);
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task One_of_two_gets_the_claim_and_the_other_gets_it_after_its_end()
    {
        var (one, two) = (Replica("one"), Replica("two"));
        var first = await one.TryClaimAsync(Work, default);
        var second = await two.TryClaimAsync(Work, default);
        Assert.That((first.Claim is not null, second.Claim is null), Is.EqualTo((true, true)));
        Assert.That(second.NextTry, Is.EqualTo(_time.GetUtcNow() + TimeSpan.FromSeconds(30)));
        await first.Claim!.DisposeAsync();
        Assert.That(await LeaseAsync(), Is.Null);
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
    }

    [Test]
    public async Task The_claim_of_a_dead_replica_is_taken_over_after_thirty_seconds_and_not_before()
    {
        await CreateOfDeadAsync(_time.GetUtcNow());
        var two = Replica("two");
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
        var lease = await LeaseAsync();
        Assert.That((lease!.HolderIdentity, lease.Transitions), Is.EqualTo(("two", 1)));
    }

    [Test]
    public async Task A_replica_that_sees_the_claim_of_a_dead_one_late_waits_for_the_rest_of_the_thirty_seconds()
    {
        await CreateOfDeadAsync(_time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(25));
        var two = Replica("two");
        var first = await two.TryClaimAsync(Work, default);
        Assert.That((first.Claim, first.NextTry), Is.EqualTo(((CopyClaim?)null, _time.GetUtcNow() + TimeSpan.FromSeconds(5))));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
    }

    [Test]
    public async Task A_claim_that_expired_before_a_replica_saw_it_is_taken_over_at_once()
    {
        await CreateOfDeadAsync(_time.GetUtcNow() - TimeSpan.FromSeconds(30));
        Assert.That((await Replica("two").TryClaimAsync(Work, default)).Claim, Is.Not.Null);
    }

    [TestCase(5 * 60)]
    [TestCase(int.MaxValue)]
    public async Task A_claim_that_states_a_time_to_come_is_kept_for_no_longer_than_thirty_seconds(int secondsAhead)
    {
        await CreateOfDeadAsync(_time.GetUtcNow() + TimeSpan.FromSeconds(secondsAhead));
        var two = Replica("two");
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
    }

    /// <summary>Clocks of nodes, by how many minutes they are ahead of the API server's.</summary>
    [TestCase(5, 0)]
    [TestCase(-5, 0)]
    [TestCase(0, 5)]
    [TestCase(0, -5)]
    [TestCase(-5, 5)]
    public async Task Clocks_that_differ_lose_no_claim_that_is_renewed_and_prolong_none_of_a_dead_replica(int first, int second)
    {
        var (ones, twos) = (new ManualTimeProvider(), new ManualTimeProvider());
        _time.Advance(TimeSpan.FromMinutes(5));
        ones.Advance(TimeSpan.FromMinutes(5 + first));
        twos.Advance(TimeSpan.FromMinutes(5 + second));
        using var onesClient = ApiServers.Connect(_server, @namespace: "proxyswapper", clock: ones);
        using var twosClient = ApiServers.Connect(_server, @namespace: "proxyswapper", clock: twos);
        // Each replica has listed Pods before it copies.
        foreach (var client in (KubernetesClient[])[onesClient, twosClient])
            await new PodClient(client).ListAsync(new ResourceQuery(ResourceType.Pods), _ => 0, default).CountAsync();
        var one = new CopyClaims(new KubernetesAccess(onesClient, "one"), ones, NullLogger<CopyClaims>.Instance);
        var two = new CopyClaims(new KubernetesAccess(twosClient, "two"), twos, NullLogger<CopyClaims>.Instance);
        Assert.That((await one.TryClaimAsync(Work, default)).Claim, Is.Not.Null);
        for (var renewals = 0; renewals < 6; renewals++)
        {
            var last = (await LeaseAsync())!.RenewTime;
            await ones.WaitForTimerAsync(CopyClaims.RenewInterval);
            Advance(CopyClaims.RenewInterval);
            Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
            ones.Advance(CopyClaims.RenewInterval);
            await TestWait.UntilAsync(async () => (await LeaseAsync())!.RenewTime > last);
        }
        // It is killed: its clock stands still. The server states its time in whole seconds.
        Advance(CopyClaims.Duration - TimeSpan.FromSeconds(2));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Null);
        Advance(TimeSpan.FromSeconds(4));
        Assert.That((await two.TryClaimAsync(Work, default)).Claim, Is.Not.Null);

        void Advance(TimeSpan time)
        {
            _time.Advance(time);
            twos.Advance(time);
        }
    }

    [Test]
    public async Task A_process_takes_the_claim_of_the_one_before_it_in_its_pod_at_once()
    {
        Assert.That((await Replica("one").TryClaimAsync(Work, default)).Claim, Is.Not.Null);
        Assert.That((await Replica("one").TryClaimAsync(Work, default)).Claim, Is.Not.Null);
    }

    [Test]
    public async Task A_claim_is_renewed_while_the_copy_runs()
    {
        var claim = (await Replica("one").TryClaimAsync(Work, default)).Claim!;
        await RenewAsync(CopyClaims.RenewInterval);
        await claim.DisposeAsync();
        Assert.That(await LeaseAsync(), Is.Null);
    }

    [Test]
    public async Task A_renewal_of_which_the_response_is_lost_loses_no_claim()
    {
        var claim = await ClaimWithLostRenewalAsync();
        // It is tried again soon.
        await _time.WaitForTimerAsync(CopyClaim.RetryInterval);
        _losesResponses = false;
        await RenewAsync(CopyClaim.RetryInterval);
        Assert.That(claim.Lost.IsCancellationRequested, Is.False);
        await claim.DisposeAsync();
        Assert.That(await LeaseAsync(), Is.Null);
    }

    [Test]
    public async Task A_claim_whose_last_renewal_has_no_response_is_given_back()
    {
        await (await ClaimWithLostRenewalAsync()).DisposeAsync();
        Assert.That(await LeaseAsync(), Is.Null);
    }

    [Test]
    public async Task A_claim_that_another_replica_took_is_lost_and_left_unchanged()
    {
        var claim = (await Replica("one").TryClaimAsync(Work, default)).Claim!;
        var lease = (await LeaseAsync())!;
        await new LeaseClient(_client).TryUpdateAsync(lease with { HolderIdentity = "two" }, default);
        await _time.FireAsync(CopyClaims.RenewInterval);
        await TestWait.UntilAsync(() => claim.Lost.IsCancellationRequested);
        await claim.DisposeAsync();
        Assert.That((await LeaseAsync())!.HolderIdentity, Is.EqualTo("two"));
    }

    [Test]
    public async Task A_release_that_gets_no_response_ends_after_five_seconds_and_is_logged()
    {
        using var log = new CapturedLog();
        var claims = new CopyClaims(new KubernetesAccess(_client, "one"), _time, log.CreateLogger<CopyClaims>());
        var claim = (await claims.TryClaimAsync(Work, default)).Claim!;
        _holdsDeletion = true;
        var released = claim.DisposeAsync().AsTask();
        await _heldDeletion.Task;
        _time.Advance(TimeSpan.FromSeconds(5));
        await released;
        Assert.That(log.Text, Does.Contain("Cannot delete Lease ").And.Contain("expires in 30 s: no response within 5 s"));
    }

    [Test]
    public async Task Without_the_right_to_leases_each_replica_copies_for_itself()
    {
        _server.Denied["create leases"] = true;
        Assert.That((await Replica("one").TryClaimAsync(Work, default)).Claim, Is.SameAs(CopyClaim.None));
    }

    private async Task<CopyClaim> ClaimWithLostRenewalAsync()
    {
        var claim = (await Replica("one").TryClaimAsync(Work, default)).Claim!;
        _losesResponses = true;
        await RenewAsync(CopyClaims.RenewInterval);
        return claim;
    }

    private Task<Lease?> CreateOfDeadAsync(DateTimeOffset renewed) =>
        new LeaseClient(_client).TryCreateAsync(
            new Lease("proxyswapper", CopyClaims.NameOf(Work.Key))
            {
                HolderIdentity = "dead",
                Duration = CopyClaims.Duration,
                RenewTime = renewed,
            },
            default
        );

    /// <summary>Advances the clock to the next renewal and waits for its effect.</summary>
    private async Task RenewAsync(TimeSpan pause)
    {
        var last = (await LeaseAsync())!.RenewTime;
        await _time.FireAsync(pause);
        await TestWait.UntilAsync(async () => (await LeaseAsync())!.RenewTime > last);
    }

    private CopyClaims Replica(string name) => new(new KubernetesAccess(_client, name), _time, NullLogger<CopyClaims>.Instance);

    private Task<Lease?> LeaseAsync() => new LeaseClient(_client).GetAsync("proxyswapper", CopyClaims.NameOf(Work.Key), default);
}
