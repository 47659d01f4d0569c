using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Configuration;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.InMemory;
using ProxySwapper.Registry;
using ProxySwapper.Reporting;
using ProxySwapper.Rules;
using ProxySwapper.Testing.Kubernetes;

namespace ProxySwapper.Tests.Reporting;

/// <summary>An in-process API server with its API discovery, and reports of its images.</summary>
internal sealed class ReportCluster : IAsyncDisposable
{
    private const string Rules = "rules: [{match: docker.io, target: registry.example.com/hub}]\n";
    private const string Webhook = "webhook";

    private readonly InMemoryApiServer _server;

    private ReportCluster(InMemoryApiServer server) => (_server, Client) = (server, ApiServers.Connect(server));

    public KubernetesClient Client { get; }

    /// <summary>Every Pod but those of kube-system is rewritten.</summary>
    public static WebhookScope ChartDefaults => WebhookScope.OfManifests([], Webhook, new AdmissionPolicyOptions(), new ReportProblems());

    public ReportProblems Problems { get; private set; } = new();

    public List<string> Progress { get; } = [];

    /// <param name="interceptor">Sees each request first, except for API discovery.</param>
    /// <param name="discovery">Responds to requests for API discovery in place of the cluster; false for the others.</param>
    /// <param name="time">The clock that objects are created by.</param>
    public static async Task<ReportCluster> StartAsync(
        Func<HttpContext, RequestDelegate, Task>? interceptor = null,
        Func<HttpContext, bool>? discovery = null,
        TimeProvider? time = null
    )
    {
        var server = await InMemoryApiServer.StartAsync(
            new InMemoryApiServerOptions
            {
                Time = time ?? TimeProvider.System,
                Interceptor = (context, next) =>
                    discovery?.Invoke(context) == true ? Task.CompletedTask
                    : Discovery(context.Request.Path) is { } kinds ? context.Response.WriteAsync(kinds)
                    : interceptor is not null ? interceptor(context, next)
                    : next(context),
            }
        );
        return new ReportCluster(server);
    }

    /// <summary>Forbids an operation, by verb and resource, such as <c>list pods</c>.</summary>
    public ReportCluster Deny(string action)
    {
        _server.Denied[action] = true;
        return this;
    }

    /// <summary>Creates an object below a collection's path.</summary>
    public Task AddAsync(string path, string json) => Client.PostAsync(path, JsonNode.Parse(json)!.AsObject(), default);

    /// <summary>Creates a Pod in the namespace <c>team</c>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="image">The image of its container <c>main</c>.</param>
    /// <param name="metadata">More members of its metadata.</param>
    public Task AddPodAsync(string name, string image, string metadata = "") =>
        AddAsync(
            "/api/v1/namespaces/team/pods",
            $$"""
            {"metadata": {"name": "{{name}}"{{metadata}}},
             "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "{{image}}"}]} }
            """
        );

    /// <summary>Creates an object with a template in the namespace <c>team</c>.</summary>
    public Task AddTemplateAsync(
        string groupVersion,
        string plural,
        string name,
        string image,
        string metadata = "",
        string labels = "{}"
    ) =>
        AddAsync(
            $"/apis/{groupVersion}/namespaces/team/{plural}",
            $$"""
            {"metadata": {"name": "{{name}}"{{metadata}}}, "spec": {"template": {"metadata": {"labels": {{labels}}},
             "spec": {"containers": [{"name": "main", "image": "{{image}}"}]} } } }
            """
        );

    /// <summary>Members of metadata: the object's controller.</summary>
    public static string ControlledBy(string apiVersion, string kind, string name) =>
        $$""", "ownerReferences": [{"apiVersion": "{{apiVersion}}", "kind": "{{kind}}", "name": "{{name}}", "controller": true}]""";

    /// <summary>Members of metadata: the annotation with the original image of the container <c>main</c>.</summary>
    public static string Original(string image) => $$""", "annotations": {"original-image.proxyswapper.io/main": "{{image}}"}""";

    /// <summary>Reports all images, without querying registries.</summary>
    public async Task<ImageReport> ReportAsync(string more = "", string? only = null)
    {
        var options = ConfigurationReader.ReadText("config.yaml", Rules + more, EnvironmentVariables.None);
        Problems = new ReportProblems();
        var scope = await WebhookScope.ReadAsync(Client, Webhook, options.AdmissionPolicy, only, Problems, default);
        var builder = new ReportBuilder(RuleSet.Compile(options), scope);
        await new ClusterScan(Client, only, Problems, Progress.Add).RunAsync(builder, default);
        return ImageReport.Create(builder, Problems);
    }

    /// <summary>Stops responding.</summary>
    public ValueTask StopAsync() => _server.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }

    private static string? Discovery(string path) =>
        path switch
        {
            "/api/v1" => Kinds(("replicationcontrollers", "ReplicationController"), ("pods", "Pod")),
            "/apis" => """
                {"groups": [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]},
                 {"name": "batch", "versions": [{"groupVersion": "batch/v1"}]},
                 {"name": "example.com", "versions": [{"groupVersion": "example.com/v1"}]},
                 {"name": "example.org", "preferredVersion": {"groupVersion": "example.org/v2"},
                  "versions": [{"groupVersion": "example.org/v1"}, {"groupVersion": "example.org/v2"}]}]}
                """,
            "/apis/apps/v1" => Kinds(("deployments", "Deployment"), ("replicasets", "ReplicaSet"), ("statefulsets", "StatefulSet")),
            "/apis/batch/v1" => Kinds(("cronjobs", "CronJob"), ("jobs", "Job")),
            "/apis/example.org/v1" or "/apis/example.org/v2" => Kinds(("deployments", "Deployment")),
            "/apis/example.com/v1" => Kinds(
                ("agents", "Agent"),
                ("configurations", "Configuration"),
                ("revisions", "Revision"),
                ("rollouts", "Rollout"),
                ("services", "Service")
            ),
            _ => null,
        };

    private static string Kinds(params (string Plural, string Kind)[] kinds) =>
        new JsonObject
        {
            ["resources"] = new JsonArray([
                .. kinds.Select(kind => new JsonObject
                {
                    ["name"] = kind.Plural,
                    ["kind"] = kind.Kind,
                    ["namespaced"] = kind.Kind != "Agent",
                    ["verbs"] = new JsonArray("list"),
                }),
            ]),
        }.ToJsonString();
}
