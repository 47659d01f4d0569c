using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ProxySwapper.Testing.Kubernetes;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Reporting;

/// <summary>
/// An in-process API server with Deployments, two revisions of each, and their Pods: lists are generated while they are sent, so
/// that they take no memory.
/// </summary>
internal sealed class LargeCluster : IAsyncDisposable
{
    public const int Pods = 10_000;
    public const int Deployments = 2_000;
    public const int Images = 500;

    private const int Revisions = 2;
    private const int Nodes = 100;
    private const int Namespaces = 50;

    /// <summary>Stands for the other content of Pods: environment, probes, status and managed fields.</summary>
    private static readonly string Ballast = new('x', 6_000);

    private readonly WebApplication _server;
    private int _podsRead;

    private LargeCluster(WebApplication server) => _server = server;

    /// <summary>The number of Pods sent.</summary>
    public int PodsRead => _podsRead;

    public string Kubeconfig => TestKubeconfig.Of(_server.Urls.Single());

    public static async Task<LargeCluster> StartAsync()
    {
        var server = LoopbackServer.Build();
        var cluster = new LargeCluster(server);
        server.Run(cluster.RespondAsync);
        await server.StartAsync();
        return cluster;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task RespondAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Request.Path.Value switch
        {
            "/api/v1/pods" => WritePageAsync(context, Pods, Pod),
            "/apis/apps/v1/deployments" => WritePageAsync(context, Deployments, Deployment),
            "/apis/apps/v1/replicasets" => WritePageAsync(context, Deployments * Revisions, ReplicaSet),
            "/api/v1" => context.Response.WriteAsync("""{"resources":[]}"""),
            "/apis" => context.Response.WriteAsync("""{"groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1"}]}]}"""),
            "/apis/apps/v1" => context.Response.WriteAsync(
                """
                {"resources":[{"name":"deployments","kind":"Deployment","namespaced":true,"verbs":["list"]},
                 {"name":"replicasets","kind":"ReplicaSet","namespaced":true,"verbs":["list"]}]}
                """
            ),
            "/api/v1/namespaces" or "/api/v1/nodes" => context.Response.WriteAsync("""{"metadata":{},"items":[]}"""),
            _ => NotFoundAsync(context),
        };
    }

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("""{"kind":"Status","reason":"NotFound","message":"not found"}""");
    }

    private static async Task WritePageAsync(HttpContext context, int count, Func<int, string> item)
    {
        var query = context.Request.Query;
        var start = int.TryParse(query["continue"], CultureInfo.InvariantCulture, out var token) ? token : 0;
        var limit = int.TryParse(query["limit"], CultureInfo.InvariantCulture, out var most) ? most : count;
        var end = Math.Min(count, start + limit);
        var more = end < count ? $",\"continue\":\"{end}\"" : "";
        await context.Response.WriteAsync($$"""{"metadata":{"resourceVersion":"1"{{more}} },"items":[""");
        for (var index = start; index < end; index++)
            await context.Response.WriteAsync((index == start ? "" : ",") + item(index));
        await context.Response.WriteAsync("]}");
    }

    private string Pod(int index)
    {
        Interlocked.Increment(ref _podsRead);
        var workload = index % Deployments;
        var owner = Owner("ReplicaSet", $"app-{workload}-{index / Deployments % Revisions}");
        return $$"""
            {"metadata":{"name":"app-{{workload}}-{{index}}","namespace":"{{NamespaceOf(workload)}}",{{owner}},
             "annotations":{"note":"{{Ballast}}"} },"spec":{"nodeName":"node{{index % Nodes}}",{{ContainersOf(workload)}} },
             "status":{"phase":"Running"} }
            """;
    }

    private static string Deployment(int index) =>
        $$"""
            {"metadata":{"name":"app-{{index}}","namespace":"{{NamespaceOf(index)}}"},
             "spec":{"replicas":5,"template":{"metadata":{"labels":{"app":"app-{{index}}"} },"spec":{ {{ContainersOf(index)}} } } } }
            """;

    private static string ReplicaSet(int index)
    {
        var workload = index / Revisions;
        return $$"""
            {"metadata":{"name":"app-{{workload}}-{{index % Revisions}}","namespace":"{{NamespaceOf(workload)}}",
             {{Owner("Deployment", $"app-{workload}")}}},"spec":{"template":{"spec":{ {{ContainersOf(workload)}} } } } }
            """;
    }

    private static string Owner(string kind, string name) =>
        $$""" "ownerReferences":[{"apiVersion":"apps/v1","kind":"{{kind}}","name":"{{name}}","controller":true}]""";

    private static string ContainersOf(int workload) => $$""" "containers":[{"name":"main","image":"team/app{{workload % Images}}:1"}]""";

    private static string NamespaceOf(int workload) => $"team-{workload % Namespaces}";
}
