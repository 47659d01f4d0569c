using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;
using ProxySwapper.Tests.Kubernetes;

namespace ProxySwapper.Tests.AdmissionPolicies;

[TestFixture]
internal sealed class PolicyControllerTests
{
    private const string Resources = """{"resources":[{"name":"mutatingadmissionpolicies"},{"name":"mutatingadmissionpolicybindings"}]}""";
    private const string Missing = """{"kind":"Status","reason":"NotFound","code":404}""";
    private static readonly string Ours = ManagedBy("proxyswapper");
    private static readonly string Edited = ManagedBy("kubectl-edit");

    private ScriptedApiServer _server = null!;
    private ServiceProvider _services = null!;
    private ManualTimeProvider _time = null!;
    private ServedPolicy _policy = null!;
    private PolicyController _controller = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await ScriptedApiServer.StartAsync();
        _services = new ServiceCollection()
            .AddMetrics()
            .AddSingleton<ProcessMetrics>()
            .AddSingleton<PrometheusExporter>()
            .BuildServiceProvider();
        _time = new ManualTimeProvider();
        _policy = new ServedPolicy();
        Apply("admissionPolicy: {name: swap}\nproxyUrl: r.example");
        _controller = Controller();
    }

    private PolicyController Controller() =>
        new(
            new KubernetesAccess(_server.Client()),
            new ProxySwapperOptions { AdmissionPolicy = new() { Name = "swap" } },
            _policy,
            _services.GetRequiredService<IMeterFactory>(),
            _time,
            NullLogger<PolicyController>.Instance
        );

    [TearDown]
    public async Task StopAsync()
    {
        _controller.Dispose();
        await _services.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task The_policy_is_applied_in_the_newest_version_that_is_served()
    {
        _server.Respond(404, Missing).Respond(200, Resources).Respond(200, "{}").Respond(404, Missing).Respond(200, "{}");
        await _controller.CheckAsync(default);
        const string Group = "/apis/admissionregistration.k8s.io";
        Assert.Multiple(() =>
        {
            Assert.That(
                _server.Requests,
                Is.EqualTo(
                    new[]
                    {
                        $"GET {Group}/v1",
                        $"GET {Group}/v1beta1",
                        $"GET {Group}/v1beta1/mutatingadmissionpolicybindings/swap",
                        $"GET {Group}/v1beta1/mutatingadmissionpolicies/swap",
                        $"PATCH {Group}/v1beta1/mutatingadmissionpolicies/swap?fieldManager=proxyswapper&force=true",
                    }
                )
            );
            Assert.That(_server.Bodies.Last(), Does.Contain("admissionregistration.k8s.io/v1beta1").And.Contain("r.example"));
            Assert.That(_controller.State.IsReady, Is.True);
            Assert.That(_controller.State.Detail, Is.Empty);
        });
    }

    [Test]
    public async Task It_is_applied_again_only_if_it_was_changed_or_removed()
    {
        await InForceAsync();
        _server.Respond(200, "{}").Respond(200, Ours);
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(1), "as it was");
        _server.Respond(200, "{}").Respond(200, Edited).Respond(200, "{}");
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(2), "changed");
        _server.Respond(200, "{}").Respond(404, Missing).Respond(200, "{}");
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(3), "removed");
    }

    [Test]
    public async Task It_is_applied_again_if_a_part_was_removed_but_not_by_another_replica()
    {
        const string Written = """{"spec":{"matchConditions":[{"name":"a"},{"name":"b"}]},"metadata":{"managedFields":[MANAGED]} }""";
        static string At(string time) =>
            $$$"""{"manager":"proxyswapper","operation":"Apply","time":"{{{time}}}","fieldsV1":{"f:spec":{} } }""";
        var (before, after) = (At("2026-01-01T00:00:00Z"), At("2026-01-01T00:05:00Z"));
        _server.Respond(200, Resources).Respond(200, "{}").Respond(404, Missing).Respond(200, Written.Replace("MANAGED", before));
        await _controller.CheckAsync(default);
        _server.Respond(200, "{}").Respond(200, Written.Replace(""",{"name":"b"}""", "").Replace("MANAGED", after));
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(1), "another replica");
        _server.Respond(200, "{}").Respond(200, Written.Replace(""",{"name":"b"}""", "").Replace("MANAGED", before)).Respond(200, "{}");
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(2), "a person");
    }

    [Test]
    public async Task What_another_manager_owns_after_an_apply_is_taken_over()
    {
        const string Shared = """
            {"metadata":{"resourceVersion":"7","managedFields":[
              {"manager":"kubectl","operation":"Update","fieldsV1":{"f:spec":{} } },
              {"manager":"proxyswapper","operation":"Apply","fieldsV1":{"f:spec":{} } },
              {"manager":"another","operation":"Update","fieldsV1":{"f:status":{} } }]} }
            """;
        _server.Respond(200, Resources).Respond(200, "{}").Respond(200, Edited).Respond(200, Shared).Respond(200, Ours);
        await _controller.CheckAsync(default);
        var patch = System.Text.Json.Nodes.JsonNode.Parse(_server.Bodies.Last())!;
        Assert.Multiple(() =>
        {
            Assert.That(_server.Requests.Last(), Does.StartWith("PATCH ").And.EndsWith("?fieldManager=proxyswapper"));
            Assert.That((string?)patch["metadata"]!["resourceVersion"], Is.EqualTo("7"));
            Assert.That(
                patch["metadata"]!["managedFields"]!.AsArray().Select(entry => (string?)entry!["manager"]),
                Is.EqualTo(new[] { "proxyswapper", "another" })
            );
            Assert.That(patch["spec"]!["matchConditions"]!.AsArray(), Is.Not.Empty);
        });
        _server.Respond(200, "{}").Respond(200, Ours);
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(2), "then nothing is left to do");
    }

    [Test]
    public async Task A_new_configuration_is_applied_without_waiting()
    {
        await InForceAsync();
        await _controller.CheckAsync(default);
        Assert.That(Applications(), Is.EqualTo(1), "nothing new");
        Apply("admissionPolicy: {name: swap}\nproxyUrl: s.example");
        _server.Respond(200, "{}").Respond(200, Ours).Respond(200, "{}");
        await _controller.CheckAsync(default);
        Assert.That(Applications(), Is.EqualTo(2));
        Assert.That(_server.Bodies.Last(), Does.Contain("s.example"));
    }

    [Test]
    public async Task The_policy_only_exists_with_its_binding()
    {
        _server.Respond(200, Resources).Respond(404, Missing);
        await _controller.CheckAsync(default);
        Assert.That(Applications(), Is.Zero);
        Assert.That(_controller.State.IsReady, Is.True);
        Assert.That(_controller.State.Detail, Does.Contain("MutatingAdmissionPolicyBinding swap not found"));
        // Meanwhile the API server was upgraded.
        _server.Respond(404, Missing).Respond(200, Resources).Respond(200, "{}").Respond(404, Missing).Respond(200, "{}");
        await CheckLaterAsync();
        Assert.That(Applications(), Is.EqualTo(1));
        Assert.That(_controller.State.Detail, Is.Empty);
    }

    [Test]
    public async Task Missing_support_and_rejections_are_reported_and_retried()
    {
        _server.Respond(404, Missing).Respond(404, Missing).Respond(404, Missing);
        await _controller.CheckAsync(default);
        Assert.That(_controller.State.IsReady, Is.False);
        Assert.That(_controller.State.Detail, Does.Contain("does not serve MutatingAdmissionPolicy"));
        _server.Respond(200, Resources).Respond(403, """{"kind":"Status","reason":"Forbidden","message":"no"}""");
        await CheckLaterAsync();
        Assert.That(_controller.State.IsReady, Is.False);
        Assert.That(_controller.State.Detail, Does.Contain("mutatingadmissionpolicybindings"));
        _server.Respond(200, "{}").Respond(404, Missing).Respond(200, "{}");
        await CheckLaterAsync();
        Assert.That(_controller.State.IsReady, Is.True);
    }

    [Test]
    public async Task A_reloaded_policy_that_the_api_server_rejects_is_counted_and_not_ready_until_it_is_accepted()
    {
        var results = new List<string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, subscriber) =>
        {
            if (instrument.Name == "proxyswapper_admission_policy_applied_total")
                subscriber.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => results.Add((string?)tags[0].Value));
        await InForceAsync();
        listener.Start();
        Apply("admissionPolicy: {name: swap}\nproxyUrl: s.example");
        _server.Respond(200, "{}").Respond(200, Ours).Respond(503, """{"kind":"Status","message":"busy"}""");
        await _controller.CheckAsync(default);
        Assert.That(_controller.State.IsReady, Is.True, "the previous policy is in force, and this one is retried");
        const string Invalid = """{"kind":"Status","reason":"Invalid","message":"spec.variables[3]: Invalid value","code":422}""";
        _server.Respond(200, "{}").Respond(200, Ours).Respond(422, Invalid);
        await _controller.CheckAsync(default);
        Assert.That(_controller.State.IsReady, Is.False);
        Assert.That(_controller.State.Detail, Does.Contain("spec.variables[3]: Invalid value"));
        _server.Respond(200, "{}").Respond(200, Ours).Respond(200, "{}");
        await _controller.CheckAsync(default);
        Assert.That(_controller.State.IsReady, Is.True);
        Assert.That(results, Is.EqualTo(new[] { "failure", "failure", "success" }));
    }

    [Test]
    public void Its_counter_is_there_from_the_start()
    {
        var values = PrometheusText.Parse(_services.GetRequiredService<PrometheusExporter>().Render());
        foreach (var result in (string[])["success", "failure"])
            Assert.That(values[$$"""proxyswapper_admission_policy_applied_total{result="{{result}}"}"""], Is.Zero);
    }

    [Test]
    public void What_a_policy_cannot_express_is_rejected_with_its_line_and_the_previous_policy_stays()
    {
        var before = _policy.Current;
        var rejected = Assert.Throws<ConfigurationException>(() =>
            Apply("admissionPolicy: {name: swap}\nproxyUrl: r.example\nswapPolicy: exists")
        );
        Assert.That(rejected!.Faults.Single().ToString(), Does.StartWith("c.yaml:3:13: swapPolicy: "));
        Assert.That(_policy.Current, Is.SameAs(before));
    }

    private static string ManagedBy(string manager) =>
        $$$"""
            {"metadata":{"managedFields":[
              {"manager":"{{{manager}}}","operation":"Apply","fieldsV1":{"f:spec":{"f:variables":{} } } },
              {"manager":"another","operation":"Update","fieldsV1":{"f:status":{} } }]} }
            """;

    private async Task InForceAsync()
    {
        _server.Respond(200, Resources).Respond(200, "{}").Respond(404, Missing).Respond(200, "{}");
        await _controller.CheckAsync(default);
        Assert.That(Applications(), Is.EqualTo(1));
    }

    private Task CheckLaterAsync()
    {
        _time.Advance(TimeSpan.FromSeconds(6));
        return _controller.CheckAsync(default);
    }

    private int Applications() => _server.Requests.Count(request => request.StartsWith("PATCH ", StringComparison.Ordinal));

    private void Apply(string text)
    {
        var environment = EnvironmentVariables.None;
        _policy.Apply("c.yaml", text, environment, ConfigurationReader.ReadText("c.yaml", text, environment));
    }
}
