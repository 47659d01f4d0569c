using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>The API server's clock, whose seconds are in the Date header of its responses.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ServerTimeTests : IDisposable
{
    private readonly ManualTimeProvider _servers = new();
    private readonly SteppedClock _ours = new();
    private InMemoryApiServer _server = null!;
    private KubernetesClient _client = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await InMemoryApiServer.StartAsync(new InMemoryApiServerOptions { Time = _servers });
        _client = ApiServers.Connect(_server, clock: _ours);
    }

    [TearDown]
    public Task StopAsync() => _server.DisposeAsync().AsTask();

    public void Dispose() => _client.Dispose();

    [TestCase(-600)]
    [TestCase(0)]
    [TestCase(600)]
    public async Task Before_a_response_it_is_ours_and_afterwards_the_servers_to_a_second(int secondsAhead)
    {
        _ours.Step = TimeSpan.FromSeconds(secondsAhead);
        Assert.That(_client.ServerTime, Is.EqualTo(_ours.GetUtcNow()));
        await SendAsync();
        AssertKnown();
        Advance(90);
        AssertKnown();
    }

    [TestCase(-600)]
    [TestCase(600)]
    public async Task A_step_of_our_clock_between_two_responses_does_not_change_it(int seconds)
    {
        await SendAsync();
        _ours.Step = TimeSpan.FromSeconds(seconds);
        AssertKnown();
        Advance(10);
        AssertKnown();
    }

    [TestCase(-600)]
    [TestCase(600)]
    public async Task A_response_of_a_server_with_another_clock_corrects_it(int seconds)
    {
        _servers.Advance(TimeSpan.FromSeconds(600));
        await SendAsync();
        if (seconds < 0)
            _ours.Inner.Advance(TimeSpan.FromSeconds(600));
        else
            _servers.Advance(TimeSpan.FromSeconds(600));
        await SendAsync();
        AssertKnown();
    }

    private async Task SendAsync() => await _client.GetAsync("/api/v1/namespaces/default", default);

    private void Advance(int seconds)
    {
        _servers.Advance(TimeSpan.FromSeconds(seconds));
        _ours.Inner.Advance(TimeSpan.FromSeconds(seconds));
    }

    private void AssertKnown() => Assert.That(_client.ServerTime, Is.EqualTo(_servers.GetUtcNow()).Within(TimeSpan.FromSeconds(1)));

    /// <summary>A clock that is set while timers and timestamps continue.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        public ManualTimeProvider Inner { get; } = new();

        public TimeSpan Step { get; set; }

        public override long TimestampFrequency => Inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => Inner.GetUtcNow() + Step;

        public override long GetTimestamp() => Inner.GetTimestamp();
    }
}
