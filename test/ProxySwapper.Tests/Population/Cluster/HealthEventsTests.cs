using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.Population.Cluster;

[TestFixture]
internal sealed class HealthEventsTests
{
    private readonly FakeTimeProvider _time = new();
    private ScriptedApiServer _server = null!;

    [SetUp]
    public async Task Start() => _server = await ScriptedApiServer.StartAsync();

    [TearDown]
    public ValueTask Stop() => _server.DisposeAsync();

    [TestCase(true, "Its images are left unchanged until it recovers.")]
    [TestCase(false, "Its images are still rewritten.")]
    public async Task A_failing_registry_is_an_event_of_the_programs_own_Pod(bool fallsBack, string consequence)
    {
        var written = await ReportAsync("connection refused", fallsBack);
        Assert.That(((string?)written["reason"], (string?)written["type"]), Is.EqualTo(("RegistryFailing", "Warning")));
        Assert.That((string?)written["note"], Is.EqualTo($"r.example is failing: connection refused. {consequence}"));
        Assert.That(
            ((string?)written["regarding"]!["kind"], (string?)written["regarding"]!["name"], (string?)written["reportingInstance"]),
            Is.EqualTo(("Pod", "proxyswapper-7d4b9c", "proxyswapper-7d4b9c"))
        );
    }

    [Test]
    public async Task A_registry_that_responds_again_is_an_event_too()
    {
        var written = await ReportAsync(null, fallsBack: true);
        Assert.That(
            ((string?)written["reason"], (string?)written["type"], (string?)written["note"]),
            Is.EqualTo(("RegistryRecovered", "Normal", "r.example has recovered."))
        );
    }

    [Test]
    public async Task An_Event_that_cannot_be_written_is_only_logged()
    {
        using var log = new CapturedLog();
        _server.Respond(403, """{"message":"events is forbidden"}""");
        using var access = new KubernetesAccess(_server.Client(_time), "proxyswapper-7d4b9c");
        await new HealthEvents(access, _time, log.CreateLogger<HealthEvents>()).ReportAsync("r.example", "down", true, default);
        Assert.That(log.Text, Does.Contain("Cannot write the Event for r.example").And.Contain("events is forbidden"));
    }

    private async Task<JsonNode> ReportAsync(string? fault, bool fallsBack)
    {
        using var log = new CapturedLog();
        _server.Respond(201, "{}");
        using var access = new KubernetesAccess(_server.Client(_time), "proxyswapper-7d4b9c");
        await new HealthEvents(access, _time, log.CreateLogger<HealthEvents>()).ReportAsync("r.example", fault, fallsBack, default);
        Assert.That(log.Text, Is.Empty);
        return JsonNode.Parse(_server.Bodies.Last())!;
    }
}
