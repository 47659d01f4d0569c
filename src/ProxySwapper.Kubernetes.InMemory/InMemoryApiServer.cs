using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// A Kubernetes API server in this process and in memory, on a free port of the loopback address: objects of any kind, lists and watches
/// with selectors, patches, Leases' versions, scheduling gates as Kubernetes has them, mutating webhooks for Pods. For
/// <c>proxyswapper demo</c> and for tests; without TLS, it believes each bearer token to be its user's name, and keeps nothing.
/// </summary>
internal sealed class InMemoryApiServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private CancellationTokenSource _watches = new();

    private InMemoryApiServer(WebApplication server, InMemoryApiServerOptions options)
    {
        (_server, Options) = (server, options);
        Store = new ObjectStore(options.Time);
    }

    public InMemoryApiServerOptions Options { get; }

    public ObjectStore Store { get; }

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>What nobody may do: verb and resource, for instance <c>patch pods</c>.</summary>
    public ConcurrentDictionary<string, bool> Denied { get; } = new(StringComparer.Ordinal);

    /// <summary>How often something was asked: verb and resource, for instance <c>watch pods</c>.</summary>
    public ConcurrentDictionary<string, int> Requests { get; } = new(StringComparer.Ordinal);

    /// <summary>Ends when the watches that are open now are to be broken off.</summary>
    public CancellationToken WatchesBroken => _watches.Token;

    /// <summary>Starts a server; it runs until it is disposed.</summary>
    public static async Task<InMemoryApiServer> StartAsync(
        InMemoryApiServerOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        options ??= new InMemoryApiServerOptions();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.Listen(IPAddress.Loopback, 0);
            });
        var web = builder.Build();
        var server = new InMemoryApiServer(web, options);
        web.Run(server.AnswerAsync);
        await web.StartAsync(cancellationToken);
        server.Address = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    /// <summary>A kubeconfig for a user of that name.</summary>
    public string Kubeconfig(string user = "administrator", string @namespace = "default") =>
        $$"""
            apiVersion: v1
            kind: Config
            current-context: memory
            contexts: [{name: memory, context: {cluster: memory, user: memory, namespace: {{@namespace}} } }]
            clusters: [{name: memory, cluster: {server: "{{Address}}"} }]
            users: [{name: memory, user: {token: "{{user}}"} }]
            """;

    /// <summary>A Pod as it is now, or null.</summary>
    public JsonObject? FindPod(string @namespace, string name) => Store.Find(new ApiPath("v1", "pods", @namespace, name, ""));

    /// <summary>Breaks off all watches, as a network does.</summary>
    public void BreakWatches() => Interlocked.Exchange(ref _watches, new CancellationTokenSource()).Cancel();

    /// <summary>Forgets what changed and breaks off all watches, as a restart does: who watched has to list again.</summary>
    public void Restart()
    {
        Store.ForgetChanges();
        BreakWatches();
    }

    public async ValueTask DisposeAsync()
    {
        BreakWatches();
        await _server.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var endpoint = new ApiEndpoint(this);
        return Options.Interceptor is { } interceptor ? interceptor(context, endpoint.AnswerAsync) : endpoint.AnswerAsync(context);
    }
}
