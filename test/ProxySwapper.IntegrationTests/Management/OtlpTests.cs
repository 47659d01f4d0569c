using System.Text;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Management;

/// <summary>The spans and metrics that the built program sends to a collector.</summary>
[TestFixture, NeedsServer]
internal sealed class OtlpTests
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string ApiServerSpan = "b7ad6b7169203331";

    private OtlpReceiver _collector = null!;

    [SetUp]
    public async Task StartCollector() => _collector = await OtlpReceiver.StartAsync();

    [TearDown]
    public async Task StopCollector() => await _collector.DisposeAsync();

    [Test]
    public async Task An_admission_is_a_span_below_the_API_servers_with_its_images()
    {
        await RunAsync("proxyUrl: one.example\npopulate: {policy: none}", webhook => PostAsync(webhook, "nginx", "quay.io/a/b:1"));
        var span = _collector.Spans.Single(span => span.Name == "admission");
        Assert.Multiple(() =>
        {
            Assert.That((span.TraceId, span.ParentSpanId), Is.EqualTo((TraceId, ApiServerSpan)));
            Assert.That(span.Attributes["proxyswapper.images"], Is.EqualTo("nginx quay.io/a/b:1"));
            Assert.That(span.Attributes["proxyswapper.targets"], Does.StartWith("one.example/library/nginx:latest"));
            Assert.That(span.Attributes["k8s.namespace.name"], Is.EqualTo("shop"));
            Assert.That(span.Resource["service.name"], Is.EqualTo("proxyswapper"));
            Assert.That(span.Resource["k8s.pod.name"], Is.EqualTo("pod-1"));
            Assert.That(span.Resource["deployment.environment"], Is.EqualTo("test"), "what the environment adds");
        });
    }

    [Test]
    public async Task Metrics_are_sent_too_and_nothing_is_lost_at_the_end()
    {
        await RunAsync("proxyUrl: one.example\npopulate: {policy: none}", webhook => PostAsync(webhook, "nginx"));
        Assert.That(
            _collector.Metrics,
            Does.Contain("proxyswapper_admissions_total")
                .And.Contain("proxyswapper_patch_duration_seconds")
                .And.Contain("process_resident_memory_bytes")
        );
    }

    [Test]
    public async Task The_work_that_an_admission_caused_is_linked_to_it()
    {
        await using var registry = await DebianRegistry.StartAsync();
        // The image does not exist: failed work has a span as well.
        var configuration = $$"""
            rules: [{match: {{registry.Address}}, target: "{{registry.Address}}/mirrored"}]
            registries: [{host: "{{registry.Address}}", auth: anonymous, plainHttp: true}]
            populate: {maxRetries: 0}
            """;
        await RunAsync(
            configuration,
            async webhook =>
            {
                await PostAsync(webhook, $"{registry.Address}/a/b:1");
                await TestWait.UntilAsync(
                    async () => (await webhook.Management.GetStringAsync("/populate")).Contains("a/b", StringComparison.Ordinal),
                    "the copy's end"
                );
            }
        );
        var admission = _collector.Spans.Single(span => span.Name == "admission");
        Assert.That(
            _collector.Spans.Where(span => span.Name is "populate" or "copy").SelectMany(span => span.Links),
            Has.Some.EqualTo(admission.SpanId)
        );
    }

    [Test]
    public async Task A_missing_collector_is_only_reported()
    {
        await _collector.DisposeAsync();
        await using var webhook = await StartAsync(
            "proxyUrl: one.example\npopulate: {policy: none}",
            $"http://localhost:{TestProcess.FreePort()}"
        );
        await PostAsync(webhook, "nginx");
        webhook.Terminate();
        Assert.That(await webhook.WaitForExitAsync(), Is.Zero);
        Assert.That(webhook.Log, Does.Contain("could not be sent"));
    }

    private async Task RunAsync(string configuration, Func<ProxySwapperProcess, Task> use)
    {
        await using var webhook = await StartAsync(configuration, _collector.Endpoint);
        await use(webhook);
        webhook.Terminate();
        Assert.That(await webhook.WaitForExitAsync(), Is.Zero, webhook.Log);
    }

    private static Task<ProxySwapperProcess> StartAsync(string configuration, string endpoint) =>
        ProxySwapperProcess.StartAsync(
            configuration,
            new Dictionary<string, string>
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=test",
                ["POD_NAME"] = "pod-1",
            }
        );

    private static async Task PostAsync(ProxySwapperProcess webhook, params string[] images)
    {
        using var client = webhook.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mutate")
        {
            Content = new StringContent(ReviewSamples.Create(images), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", $"00-{TraceId}-{ApiServerSpan}-01");
        (await client.SendAsync(request)).EnsureSuccessStatusCode();
    }
}
