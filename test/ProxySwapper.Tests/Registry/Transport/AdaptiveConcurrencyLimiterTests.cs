using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Transport;

[TestFixture]
internal sealed class AdaptiveConcurrencyLimiterTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task No_more_than_the_limit_enter_and_the_next_follows_a_release()
    {
        var window = new AdaptiveConcurrencyLimiter(2, _time);
        var first = await window.EnterAsync(false, default);
        _ = await window.EnterAsync(false, default);
        var third = window.EnterAsync(false, default);
        Assert.That(third.IsCompleted, Is.False);
        first.Dispose();
        first.Dispose();
        Assert.That((await third).IsStream, Is.False);
    }

    [Test]
    public async Task Streams_leave_a_slot_for_small_requests()
    {
        var window = new AdaptiveConcurrencyLimiter(3, _time);
        _ = await window.EnterAsync(true, default);
        var second = await window.EnterAsync(true, default);
        var third = window.EnterAsync(true, default);
        Assert.That(third.IsCompleted, Is.False);
        await window.EnterAsync(false, default);
        second.Dispose();
        await third;
    }

    [Test]
    public async Task A_single_slot_accepts_a_stream() =>
        Assert.That((await new AdaptiveConcurrencyLimiter(1, _time).EnterAsync(true, default)).IsStream, Is.True);

    [Test]
    public async Task The_limit_halves_once_for_concurrent_requests_and_grows_again()
    {
        var window = new AdaptiveConcurrencyLimiter(8, _time);
        var hit = await window.EnterAsync(false, default);
        var alsoHit = await window.EnterAsync(false, default);
        _time.Advance(TimeSpan.FromSeconds(1));
        hit.Throttled(null);
        alsoHit.Throttled(null);
        Assert.That(window.Size, Is.EqualTo(4));
        hit.Dispose();
        alsoHit.Dispose();
        var later = await window.EnterAsync(false, default);
        later.Throttled(null);
        Assert.That(window.Size, Is.EqualTo(2));
        for (var i = 0; i < 3; i++)
            later.Succeeded();
        Assert.That(window.Size, Is.EqualTo(3));
        for (var i = 0; i < 100; i++)
            later.Succeeded();
        Assert.That(window.Size, Is.EqualTo(8));
    }

    [Test]
    public async Task The_limit_never_stays_at_zero()
    {
        var window = new AdaptiveConcurrencyLimiter(2, _time);
        var lease = await window.EnterAsync(false, default);
        for (var i = 0; i < 10; i++)
            lease.Throttled(null);
        Assert.That(window.Size, Is.EqualTo(1));
    }

    [Test]
    public async Task Nobody_enters_before_Retry_After_has_passed()
    {
        var window = new AdaptiveConcurrencyLimiter(8, _time);
        (await window.EnterAsync(false, default)).Throttled(TimeSpan.FromSeconds(10));
        var next = window.EnterAsync(false, default);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.That(next.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(1));
        await next;
    }

    [Test]
    public async Task Nobody_who_already_waits_enters_before_Retry_After_has_passed()
    {
        var time = new ManualTimeProvider();
        var window = new AdaptiveConcurrencyLimiter(1, time);
        var first = await window.EnterAsync(false, default);
        var waiting = Enumerable.Range(0, 2).Select(_ => window.EnterAsync(false, default)).ToList();
        first.Throttled(TimeSpan.FromSeconds(10));
        first.Dispose();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(10), 2);
        Assert.That(waiting.Count(one => one.IsCompleted), Is.Zero);
        time.Advance(TimeSpan.FromSeconds(10));
        (await await Task.WhenAny(waiting)).Dispose();
        await Task.WhenAll(waiting);
    }

    [Test]
    public async Task A_cancelled_waiter_takes_no_slot()
    {
        var window = new AdaptiveConcurrencyLimiter(1, _time);
        var first = await window.EnterAsync(false, default);
        using var caller = new CancellationTokenSource();
        var second = window.EnterAsync(false, caller.Token);
        await caller.CancelAsync();
        Assert.That(async () => await second, Throws.InstanceOf<OperationCanceledException>());
        first.Dispose();
        await window.EnterAsync(false, default);
    }

    [Test]
    public async Task Requests_per_second_are_spread_evenly()
    {
        var pacer = new RequestRateLimiter(4, _time);
        await pacer.WaitAsync(default);
        var (second, third) = (pacer.WaitAsync(default), pacer.WaitAsync(default));
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await second;
        Assert.That(third.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await third;
    }

    [Test]
    public async Task A_clock_that_is_set_back_delays_nobody()
    {
        var time = new WrongClock();
        var pacer = new RequestRateLimiter(4, time);
        await pacer.WaitAsync(default);
        var window = new AdaptiveConcurrencyLimiter(8, time);
        (await window.EnterAsync(false, default)).Throttled(TimeSpan.FromSeconds(10));
        time.Behind = TimeSpan.FromHours(1);
        var (paced, next) = (pacer.WaitAsync(default), window.EnterAsync(false, default));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(() => paced.IsCompleted && next.IsCompleted, Is.True.After(10_000, 5));
    }

    [Test]
    public async Task A_host_sees_no_more_requests_at_once_than_it_is_configured_for()
    {
        await using var faulty = await FaultyRegistry.StartAsync();
        var options = RegistryScene.Options with
        {
            Hosts = new Dictionary<RegistryName, RegistryHostOptions>
            {
                [RegistryName.Parse(faulty.Address)] = new() { MaxConcurrency = 2 },
            },
        };
        using var clients = new RegistryClients(options, TimeProvider.System, new CapturedLog());
        var client = clients.For(RegistryName.Parse(faulty.Address), ProxySwapper.Registry.Credentials.CredentialChain.Anonymous);
        var (now, most) = (0, 0);
        faulty.Always(
            HttpMethod.Head,
            Kind.Manifest,
            async (context, registry) =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref now));
                await Task.Yield();
                await registry(context);
                Interlocked.Decrement(ref now);
            }
        );
        await Task.WhenAll(Enumerable.Range(0, 40).Select(number => client.HeadManifestAsync("a", $"v{number}", default)));
        Assert.That(most, Is.InRange(1, 2));
    }

    /// <summary>A clock whose time of day is set, unlike its timers.</summary>
    private sealed class WrongClock : FakeTimeProvider
    {
        public TimeSpan Behind { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - Behind;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            if (Interlocked.CompareExchange(ref target, value, seen) == seen)
                return;
    }
}
