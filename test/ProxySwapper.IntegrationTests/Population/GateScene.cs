using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Population;

/// <summary>Replicas of the built program with an API server that supports scheduling gates, and two registries.</summary>
internal sealed class GateScene : IAsyncDisposable
{
    public const string Gate = "proxyswapper.io/image";

    private readonly InMemoryApiServer? _inMemory;
    private readonly string _webhook = $"gate-{Guid.NewGuid():n}";
    private readonly string _folder = Directory.CreateTempSubdirectory("gate-").FullName;
    private readonly RequestHold _hold = new();

    private GateScene(InMemoryApiServer? inMemory, KubeApiServer? real)
    {
        (_inMemory, Real) = (inMemory, real);
        Client = inMemory is not null ? ApiServers.Connect(inMemory) : real!.Client;
        Kubeconfig = real?.Kubeconfig ?? Path.Combine(_folder, "kubeconfig");
        if (inMemory is not null)
            File.WriteAllText(Kubeconfig, inMemory.Kubeconfig());
    }

    public KubeApiServer? Real { get; }

    public KubernetesClient Client { get; }

    public string Kubeconfig { get; }

    public string Namespace { get; private set; } = "";

    public InMemoryRegistry Upstream { get; private set; } = null!;

    public InMemoryRegistry Downstream { get; private set; } = null!;

    /// <summary>The address of the registry that images come from: <see cref="Upstream"/>, unless another one was given.</summary>
    public string UpstreamAddress { get; private set; } = "";

    /// <summary>The address of the registry that images are copied to.</summary>
    public string DownstreamAddress { get; private set; } = "";

    /// <summary>Intercepts requests to the upstream registry; null for none.</summary>
    public RegistryFault? Interceptor { get; set; }

    /// <summary>Whether the downstream registry responds to everything with 401.</summary>
    public bool RejectsLogin { get; set; }

    public List<ProxySwapperProcess> Replicas { get; } = [];

    /// <summary>A scene without replicas.</summary>
    /// <param name="real">An API server that no other scene uses meanwhile; null for one in memory.</param>
    /// <param name="registries">The addresses of real registries in place of those in memory.</param>
    public static async Task<GateScene> CreateAsync(KubeApiServer? real = null, (string Upstream, string Downstream)? registries = null)
    {
        var scene = new GateScene(real is null ? await InMemoryApiServer.StartAsync() : null, real);
        scene.Namespace = real is null ? "team" : await real.CreateNamespaceAsync();
        scene.Upstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                    scene._hold.InterceptAsync(
                        context,
                        held => scene.Interceptor is { } interceptor ? interceptor(held, next) : next(held)
                    ),
            }
        );
        scene.Downstream = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = (context, next) =>
                {
                    // The registry responds but rejects our login.
                    if (!scene.RejectsLogin || context.Request.Path == "/v2/")
                        return next(context);
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    return Task.CompletedTask;
                },
            }
        );
        (scene.UpstreamAddress, scene.DownstreamAddress) = registries ?? (scene.Upstream.Address, scene.Downstream.Address);
        return scene;
    }

    /// <summary>Makes requests to the upstream registry wait until <see cref="EndHold"/>.</summary>
    public void Hold() => _hold.Begin();

    public void EndHold() => _hold.End();

    /// <summary>Starts a replica and waits until it watches Pods.</summary>
    public async Task<ProxySwapperProcess> StartReplicaAsync(
        string more = "",
        bool isRegistered = true,
        bool updates = false,
        string ruleKeys = "",
        bool gates = true,
        JsonObject? matchCondition = null
    )
    {
        var replica = await ProxySwapperProcess.StartAsync(
            $$"""
            rules: [{match: "{{UpstreamAddress}}", target: "{{DownstreamAddress}}/mirror"{{ruleKeys}}}]
            {{more}}
            """,
            new Dictionary<string, string> { ["KUBECONFIG"] = Kubeconfig, ["POD_NAME"] = $"{Namespace}-replica-{Replicas.Count + 1}" }
        );
        Replicas.Add(replica);
        await TestWait.UntilAsync(
            async () =>
                (await replica.Management.GetStringAsync(new Uri("/readyz?verbose", UriKind.Relative))).Contains(
                    "[+]watch ok",
                    StringComparison.Ordinal
                ) && replica.Log.Contains("held back by a scheduling gate", StringComparison.Ordinal),
            "the watch"
        );
        if (!isRegistered)
            return replica;
        await new ResourceClient(Client, ResourceType.MutatingWebhookConfigurations).CreateAsync(
            null,
            Registration(replica, updates, matchCondition),
            default
        );
        await TestWait.UntilAsync(
            async () =>
                (await TryCreateAsync(Pod("probe", $"{UpstreamAddress}/probe:1"), "?dryRun=All")) is { } probe
                && (
                    gates
                        ? GatesOf(probe).Count > 0
                        : RejectsLogin
                            || ImageOf(probe).StartsWith(DownstreamAddress, StringComparison.Ordinal)
                            || LabelOf(probe, "proxyswapper.io/populate") is not null
                ),
            "the webhook's first call"
        );
        return replica;
    }

    /// <summary>Sends the reviews of new Pods to another replica, as a Service does with some of them.</summary>
    public async Task RouteReviewsAsync(ProxySwapperProcess replica) =>
        await Client.PatchAsync(
            $"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{_webhook}",
            PatchKind.Json,
            new JsonArray(
                new JsonObject
                {
                    ["op"] = "replace",
                    ["path"] = "/webhooks/0/clientConfig",
                    ["value"] = Registration(replica, updates: false, null)["webhooks"]![0]!["clientConfig"]!.DeepClone(),
                }
            ),
            default
        );

    /// <summary>Removes the webhook, as an administrator would.</summary>
    public Task RemoveWebhookAsync() =>
        new ResourceClient(Client, ResourceType.MutatingWebhookConfigurations).DeleteAsync(null, _webhook, null, default);

    public string WebhookName => _webhook;

    /// <summary>A Pod with one container.</summary>
    public static JsonObject Pod(string name, string image) =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = image }) },
        };

    public async Task<JsonObject> CreateAsync(JsonObject pod) =>
        await Client.PostAsync($"/api/v1/namespaces/{Namespace}/pods", pod, default);

    private async Task<JsonObject?> TryCreateAsync(JsonObject pod, string query)
    {
        try
        {
            return await Client.PostAsync($"/api/v1/namespaces/{Namespace}/pods{query}", pod, default);
        }
        catch (KubernetesException)
        {
            return null;
        }
    }

    /// <summary>A Pod as the API server would store it.</summary>
    public Task<JsonObject> DryRunAsync(JsonObject pod) =>
        Client.PostAsync($"/api/v1/namespaces/{Namespace}/pods?dryRun=All", pod, default);

    public async Task<JsonObject> FindAsync(string name) =>
        (await Client.GetAsync($"/api/v1/namespaces/{Namespace}/pods/{name}", default))!;

    /// <summary>Waits until our gate is gone from a Pod.</summary>
    public async Task<JsonObject> ReleasedAsync(string name)
    {
        await TestWait.UntilAsync(async () => !GatesOf(await FindAsync(name)).Contains(Gate), $"the release of {name}");
        return await FindAsync(name);
    }

    public static IReadOnlyList<string> GatesOf(JsonObject pod) =>
        [.. (pod["spec"]!["schedulingGates"] as JsonArray ?? []).Select(gate => (string)gate!["name"]!)];

    public static string? LabelOf(JsonObject pod, string label) => (string?)pod["metadata"]!["labels"]?[label];

    public static string ImageOf(JsonObject pod) => (string)pod["spec"]!["containers"]![0]!["image"]!;

    /// <summary>Adds an image to the upstream registry.</summary>
    /// <returns>Its names upstream and downstream.</returns>
    public (string Source, string Target) AddImage(string name, int seed)
    {
        TestImage.Create(seed, 2, 1000).AddTo(Upstream, $"team/{name}", "1");
        return ($"{Upstream.Address}/team/{name}:1", $"{Downstream.Address}/mirror/team/{name}:1");
    }

    public async ValueTask DisposeAsync()
    {
        EndHold();
        await RemoveWebhookAsync();
        foreach (var replica in Replicas)
            await replica.DisposeAsync();
        await Upstream.DisposeAsync();
        await Downstream.DisposeAsync();
        if (_inMemory is not null)
        {
            Client.Dispose();
            await _inMemory.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private JsonObject Registration(ProxySwapperProcess replica, bool updates, JsonObject? matchCondition)
    {
        var registration = WebhookConfiguration.ForPods(
            _webhook,
            replica,
            Real is null ? null : Namespace,
            updates ? ["CREATE", "UPDATE"] : ["CREATE"]
        );
        if (matchCondition is not null)
            registration["webhooks"]![0]!["matchConditions"] = new JsonArray(matchCondition.DeepClone());
        return registration;
    }
}
