using System.Diagnostics;
using System.Text.Json.Nodes;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Registry;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;
using static ProxySwapper.Benchmarks.Measurement;

namespace ProxySwapper.Benchmarks.Policy;

/// <summary>
/// The latency of creating a Pod on a real API server without admission, with the admission policy, and with the webhook on the same
/// machine: sequential dry runs, alternating between three namespaces.
/// </summary>
internal static class PolicyMeasurement
{
    public const string Name = "policy";
    private const int Rounds = 200;
    private const int WarmUpRounds = 30;
    private const string Rules = "proxyUrl: r.example";
    private const string Admissions = "/apis/admissionregistration.k8s.io/v1";
    private static readonly int[] Containers = [1, 3, 10];

    public static async Task<int> RunAsync()
    {
        Environment.SetEnvironmentVariable(ProxySwapperProgram.Variable, await PublishedProgram.GetAsync());
        var assets =
            Environment.GetEnvironmentVariable("MODERN_KUBEBUILDER_ASSETS")
            ?? throw new InvalidOperationException("MODERN_KUBEBUILDER_ASSETS names no folder with an API server of Kubernetes 1.36");
        await using var server = await KubeApiServer.StartAsync(assets);
        await using var webhook = await ProxySwapperProcess.StartAsync($"{Rules}\npopulate: {{policy: none}}");
        var (none, policy, hook) = (
            await server.CreateNamespaceAsync(),
            await server.CreateNamespaceAsync(),
            await server.CreateNamespaceAsync()
        );
        await ApplyPolicyAsync(server.Client, policy);
        await new ResourceClient(server.Client, ResourceType.MutatingWebhookConfigurations).CreateAsync(
            null,
            WebhookConfiguration.ForPods(Name, webhook, hook, "CREATE"),
            default
        );
        foreach (var @namespace in new[] { policy, hook })
            await TestWait.UntilAsync(async () => await ImageAsync(server.Client, @namespace) == "r.example/library/nginx:latest");
        if (await ImageAsync(server.Client, none) != "nginx")
            throw new InvalidOperationException("the namespace without anything is not without anything");
        List<Measurement> rows = [];
        foreach (var count in Containers)
        {
            var times = new[] { none, policy, hook }.ToDictionary(@namespace => @namespace, _ => new List<double>());
            for (var round = 0; round < WarmUpRounds + Rounds; round++)
                foreach (var @namespace in times.Keys)
                {
                    var started = Stopwatch.GetTimestamp();
                    await CreateAsync(server.Client, @namespace, count);
                    if (round >= WarmUpRounds)
                        times[@namespace].Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }
            foreach (var (what, @namespace) in new[] { ("nothing", none), ("the policy", policy), ("the webhook", hook) })
                rows.Add(
                    new(
                        $"a Pod of {count} containers with {what}, median (p95)",
                        Invariant($"{Median(times[@namespace]):N2} ms ({P95(times[@namespace]):N2} ms)")
                    )
                );
        }
        return Print(Name, "an API server with the types of Kubernetes 1.36, the webhook beside it, dry runs", rows);
    }

    private static double P95(List<double> times) => times.Order().ElementAt((int)(times.Count * 0.95));

    private static async Task<string?> ImageAsync(KubernetesClient client, string @namespace) =>
        (string?)(await CreateAsync(client, @namespace, 1))["spec"]!["containers"]![0]!["image"];

    private static Task<JsonObject> CreateAsync(KubernetesClient client, string @namespace, int containers) =>
        client.PostAsync(
            $"/api/v1/namespaces/{@namespace}/pods?dryRun=All",
            new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Pod",
                ["metadata"] = new JsonObject { ["name"] = "app" },
                ["spec"] = new JsonObject
                {
                    ["containers"] = new JsonArray([
                        .. Enumerable
                            .Range(0, containers)
                            .Select(index => new JsonObject
                            {
                                ["name"] = $"c{index}",
                                ["image"] = index == 0 ? "nginx" : $"quay.io/team/app{index}:1",
                            }),
                    ]),
                },
            },
            default
        );

    private static async Task ApplyPolicyAsync(KubernetesClient client, string @namespace)
    {
        var environment = EnvironmentVariables.None;
        var compiled = PolicyCompiler.Compile(
            ConfigurationReader.ReadText("config.yaml", Rules, environment),
            ConfigurationLocations.Of("config.yaml", Rules, environment)
        );
        var objects = new PolicyObjects(Name, "v1");
        var binding = objects.Binding(podUpdates: false);
        binding["spec"]!["matchResources"]!["namespaceSelector"] = WebhookConfiguration.SelectorOf(@namespace);
        foreach (
            var (kind, body) in new[]
            {
                ("mutatingadmissionpolicies", objects.PolicyOf(compiled.Policy)),
                ("mutatingadmissionpolicybindings", binding),
            }
        )
            await client.PatchAsync($"{Admissions}/{kind}/{Name}?fieldManager=benchmark&force=true", PatchKind.Apply, body, default);
    }
}
