using System.Net;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Mirroring;

/// <summary>The behaviour of a run at a registry's pull limit.</summary>
[TestFixture]
internal sealed class RateLimitGateTests
{
    private static readonly MirrorImage Image = MirrorFiles.Image("-");
    private static readonly MirrorImage Elsewhere = MirrorFiles
        .Read("images: {y: {source: quay.io/team/y, destination: other.example/y}}")
        .Images[0];

    private readonly RecordingOutput _output = new();
    private readonly ManualTimeProvider _time = new();

    [SetUp]
    public void Clear() => _output.Notes.Clear();

    [Test]
    public async Task All_work_on_a_registry_waits_for_its_Retry_After()
    {
        var gate = new RateLimitGate(RateLimitAction.Wait, _output, _time);
        var (first, second) = (new Work(Rejection("docker.io", TimeSpan.FromMinutes(2))), new Work());
        var running = gate.RunAsync(Image, first.RunAsync, default);
        var following = gate.RunAsync(Image, second.RunAsync, default);
        var others = gate.RunAsync(Elsewhere, new Work().RunAsync, default);
        _time.Advance(TimeSpan.FromSeconds(119));
        Assert.That(
            (running.IsCompleted, following.IsCompleted, first.Runs, second.Runs, others.IsCompletedSuccessfully),
            Is.EqualTo((false, false, 1, 0, true))
        );
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(
            (await running, await following, first.Runs, second.Runs),
            Is.EqualTo((("done", (RegistryName?)null), ("done", (RegistryName?)null), 2, 1))
        );
        Assert.That(_output.Notes.Single(), Does.StartWith("the pull limit of docker.io was reached: waiting until ").And.Contain("429"));
    }

    [Test]
    public async Task Without_Retry_After_the_wait_doubles_up_to_fifteen_minutes()
    {
        var gate = new RateLimitGate(RateLimitAction.Wait, _output, _time);
        var work = new Work([.. Enumerable.Range(0, 6).Select(_ => Rejection("docker.io", null))]);
        var running = gate.RunAsync(Image, work.RunAsync, default);
        foreach (var (index, minutes) in new[] { 1, 2, 4, 8, 15, 15 }.Index())
        {
            await _time.WaitForTimerAsync(TimeSpan.FromMinutes(minutes));
            _time.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromTicks(1));
            Assert.That((work.Runs, running.IsCompleted), Is.EqualTo((index + 1, false)));
            _time.Advance(TimeSpan.FromTicks(1));
        }
        Assert.That((await running).Result, Is.EqualTo("done"));
        Assert.That(_output.Notes, Has.Count.EqualTo(6));
    }

    [Test]
    public async Task Concurrent_rejections_do_not_extend_the_wait()
    {
        var gate = new RateLimitGate(RateLimitAction.Wait, _output, _time);
        var both = new TaskCompletionSource();
        var running = Enumerable
            .Range(0, 2)
            .Select(_ => gate.RunAsync(Image, new Work(Rejection("docker.io", null)) { Until = both.Task }.RunAsync, default))
            .ToList();
        both.SetResult();
        await _time.WaitForTimerAsync(TimeSpan.FromMinutes(1), count: 2);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That((await Task.WhenAll(running)).Select(result => result.Result), Is.All.EqualTo("done"));
        Assert.That(_output.Notes, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Stopping_leaves_what_needs_that_registry_and_does_the_rest()
    {
        var gate = new RateLimitGate(RateLimitAction.Stop, _output, _time);
        var second = new Work();
        Assert.That(
            await gate.RunAsync(Image, new Work(Rejection("docker.io", TimeSpan.FromMinutes(2))).RunAsync, default),
            Is.EqualTo(((string?)null, RegistryName.DockerHub))
        );
        _time.Advance(TimeSpan.FromDays(1));
        Assert.That(
            (await gate.RunAsync(Image, second.RunAsync, default), second.Runs),
            Is.EqualTo((((string?)null, RegistryName.DockerHub), 0))
        );
        Assert.That(await gate.RunAsync(Elsewhere, new Work().RunAsync, default), Is.EqualTo(("done", (RegistryName?)null)));
        Assert.That(_output.Notes.Single(), Does.Contain("leaving its images to the next run"));
    }

    [Test]
    public async Task A_destination_at_its_limit_stops_its_own_work()
    {
        var gate = new RateLimitGate(RateLimitAction.Stop, _output, _time);
        Assert.That(
            (await gate.RunAsync(Image, new Work(Rejection("registry.example", null)).RunAsync, default)).ClosedRegistry?.Text,
            Is.EqualTo("registry.example")
        );
    }

    [Test]
    public void Other_faults_are_not_handled()
    {
        var gate = new RateLimitGate(RateLimitAction.Wait, _output, _time);
        var fault = new RegistryException(HttpMethod.Get, RegistryName.Parse("docker.io"), "team/x", HttpStatusCode.ServiceUnavailable, []);
        Assert.That(async () => await gate.RunAsync(Image, new Work(fault).RunAsync, default), Throws.Exception.SameAs(fault));
        Assert.That(_output.Notes, Is.Empty);
    }

    [Test]
    public async Task A_run_that_is_stopped_does_not_wait()
    {
        using var stopping = new CancellationTokenSource();
        var gate = new RateLimitGate(RateLimitAction.Wait, _output, _time);
        var running = gate.RunAsync(Image, new Work(Rejection("docker.io", TimeSpan.FromHours(6))).RunAsync, stopping.Token);
        await stopping.CancelAsync();
        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
    }

    private static RegistryException Rejection(string host, TimeSpan? retryAfter) =>
        new(HttpMethod.Get, RegistryName.Parse(host), "team/x", HttpStatusCode.TooManyRequests, []) { RetryAfter = retryAfter };

    /// <summary>Work that fails this many times and then succeeds.</summary>
    private sealed class Work(params RegistryException[] faults)
    {
        private readonly Queue<RegistryException> _faults = new(faults);

        public int Runs { get; private set; }

        public Task Until { get; init; } = Task.CompletedTask;

        public async Task<string> RunAsync(CancellationToken cancellationToken)
        {
            Runs++;
            await Until.WaitAsync(cancellationToken);
            return _faults.TryDequeue(out var fault) ? throw fault : "done";
        }
    }
}
