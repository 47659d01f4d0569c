using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Time;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Population.Cluster;

[TestFixture]
internal sealed class FailureEventsTests
{
    private readonly FakeTimeProvider _time = new();
    private ScriptedApiServer _server = null!;

    [SetUp]
    public async Task Start() => _server = await ScriptedApiServer.StartAsync();

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [Test]
    public async Task The_pods_owner_gets_an_event_with_the_attempt_and_the_registrys_response()
    {
        using var events = await StartAsync();
        _server.Respond(201, "{}");
        events.Report(Job("app"));
        await TestWait.UntilAsync(() => _server.Bodies.Any(body => body.Length > 0));
        var written = JsonNode.Parse(_server.Bodies.Last())!;
        Assert.That(
            (
                (string?)written["reason"],
                (string?)written["type"],
                (string?)written["regarding"]!["name"],
                (string?)written["regarding"]!["uid"]
            ),
            Is.EqualTo(("ImagePopulateFailed", "Warning", "web-1", "u1"))
        );
        Assert.That(
            (string?)written["note"],
            Is.EqualTo("Copying up.example.com/app:1 to down.example.com/app:1 failed after 1 attempt: MANIFEST_UNKNOWN")
        );
        Assert.That(_server.Requests.Last(), Is.EqualTo("POST /apis/events.k8s.io/v1/namespaces/team/events"));
    }

    [TestCase(1, "", 0)]
    [TestCase(233, "", 0)]
    [TestCase(253, "", 0)]
    [TestCase(232, "-", 20)]
    [TestCase(232, ".", 20)]
    public async Task The_name_of_an_event_is_valid_however_long_the_name_of_its_pod_is(int before, string between, int after)
    {
        var name = new string('a', before) + between + new string('a', after);
        using var events = await StartAsync();
        _server.Respond(201, "{}");
        events.Report(Job("app", new PodOrigin("team", name, "default", []) { Uid = "u1" }));
        await TestWait.UntilAsync(() => _server.Bodies.Any(body => body.Length > 0));
        var written = JsonNode.Parse(_server.Bodies.Last())!;
        Assert.That((string?)written["regarding"]!["name"], Is.EqualTo(name));
        var start = new string('a', Math.Min(before, 233));
        Assert.That((string?)written["metadata"]!["name"], Has.Length.LessThanOrEqualTo(253).And.Match($"^{start}\\.[0-9a-f]{{19}}\\z"));
    }

    [Test]
    public async Task An_image_that_fails_again_counts_on_in_its_one_event_and_not_at_each_failure()
    {
        using var events = await StartAsync();
        _server.Respond(201, "{}").Respond(200, "{}");
        for (var i = 0; i < 5; i++)
            events.Report(Job("app"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 1);
        _time.Advance(TimeSpan.FromMinutes(2));
        events.Report(Job("app"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 2);
        Assert.That(_server.Requests.Last(), Does.StartWith("PATCH /apis/events.k8s.io/v1/namespaces/team/events/web-1."));
        Assert.That((int?)JsonNode.Parse(_server.Bodies.Last())!["series"]!["count"], Is.EqualTo(6));
    }

    [Test]
    public async Task A_registry_that_fails_many_images_does_not_flood_events()
    {
        using var events = await StartAsync();
        for (var i = 0; i < 20; i++)
            _server.Respond(201, "{}");
        for (var i = 0; i < 200; i++)
            events.Report(Job($"app{i}"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 20);
        _server.Respond(201, "{}");
        _time.Advance(TimeSpan.FromSeconds(10));
        events.Report(Job("later"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 21);
        Assert.That(_server.Bodies.Last(), Does.Contain("up.example.com/later:1"));
    }

    [Test]
    public async Task A_namespace_whose_images_all_fail_leaves_the_events_of_others()
    {
        using var events = await StartAsync();
        for (var i = 0; i < 40; i++)
            _server.Respond(201, "{}");
        for (var i = 0; i < 20_000; i++)
            events.Report(Job($"hostile{i}", new PodOrigin("hostile", "h", "default", []) { Uid = "h" }));
        for (var i = 0; i < 20; i++)
            events.Report(Job($"app{i}"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 40);
        Assert.That(_server.Requests.Count(request => request.Contains("/namespaces/team/", StringComparison.Ordinal)), Is.EqualTo(20));
        // Half of the total is for namespaces with few Events.
        for (var i = 0; i < 400; i++)
            _server.Respond(201, "{}");
        for (var i = 0; i < 20; i++)
        for (var each = 0; each < 20; each++)
            events.Report(Job($"many{i}-{each}", new PodOrigin($"many{i}", "m", "default", []) { Uid = "m" }));
        events.Report(Job("last", new PodOrigin("last", "l", "default", []) { Uid = "l" }));
        await TestWait.UntilAsync(() => _server.Requests.Any(request => request.Contains("/namespaces/last/", StringComparison.Ordinal)));
        Assert.That(_server.Requests.Count, Is.LessThanOrEqualTo(200), "the sum");
    }

    [Test]
    public async Task A_namespace_whose_events_found_no_room_while_the_api_server_hung_gets_events_again()
    {
        using var events = Create();
        // As many as may wait for the API server, with one image per namespace, and then those of one more.
        for (var each = 0; each <= 100; each++)
        for (var i = 0; i < 100; i++)
            events.Write($"image{each}", SubjectOf(each), "Failed", "note");
        for (var i = 0; i <= 100; i++)
            _server.Respond(201, "{}");
        await events.StartAsync(default);
        await TestWait.UntilAsync(() => _server.Requests.Count == 100);
        events.Write("image100", SubjectOf(100), "Failed", "note");
        await TestWait.UntilAsync(() => _server.Requests.Count == 101);
        Assert.That(_server.Requests.Last(), Does.Contain("/namespaces/team100/"));

        static EventSubject SubjectOf(int number) => new("v1", "Pod", $"team{number}", "web-1", "u1");
    }

    [Test]
    public async Task With_exists_the_owner_gets_no_event()
    {
        using var events = await StartAsync(new() { SwapPolicy = SwapPolicy.Exists });
        events.Report(Job("app"));
        using var always = await StartAsync();
        _server.Respond(201, "{}");
        always.Report(Job("other"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 1);
        Assert.That(_server.Bodies.Last(), Does.Contain("other"));
    }

    [Test]
    public async Task A_pod_that_is_only_known_from_a_review_gets_no_event()
    {
        using var events = await StartAsync();
        _server.Respond(201, "{}");
        events.Report(Job("shown-by-nobody", new PodOrigin("team", "web-1", "default", [])));
        events.Report(Job("app"));
        await TestWait.UntilAsync(() => _server.Requests.Count == 1);
        Assert.That(_server.Bodies.Last(), Does.Contain("up.example.com/app:1"));
    }

    private async Task<FailureEvents> StartAsync(ProxySwapperOptions? options = null)
    {
        var events = Create(options);
        await events.StartAsync(default);
        return events;
    }

    private FailureEvents Create(ProxySwapperOptions? options = null)
    {
        var rules = new ConfigurationMonitor(RuleSet.Compile(options ?? new()), _time.GetUtcNow());
        return new FailureEvents(new KubernetesAccess(_server.Client()), rules, _time, NullLogger<FailureEvents>.Instance);
    }

    private PopulationJob Job(string name, PodOrigin? origin = null) =>
        new(
            new CopyWork(ImageReference.Parse($"up.example.com/{name}:1"), ImageReference.Parse($"down.example.com/{name}:1"), []),
            origin ?? new("team", "web-1", "default", []) { Uid = "u1" },
            0,
            _time.GetUtcNow()
        )
        {
            Failures = 1,
            LastFault = "MANIFEST_UNKNOWN",
        };
}
