using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ProxySwapper.Kubernetes.InMemory;

/// <summary>
/// An in-memory Kubernetes API server in this process, on a free port of the loopback address: objects of any kind, lists and watches with
/// selectors, patches, Lease versions, scheduling gates as in Kubernetes, mutating webhooks for Pods. For <c>proxyswapper demo</c> and for
/// tests; it has no TLS, treats each bearer token as its user's name, and stores nothing.
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

    /// <summary>Forbidden operations: verb and resource, such as <c>patch pods</c>.</summary>
    public ConcurrentDictionary<string, bool> Denied { get; } = new(StringComparer.Ordinal);

    /// <summary>The number of requests by verb and resource, such as <c>watch pods</c>.</summary>
    public ConcurrentDictionary<string, int> Requests { get; } = new(StringComparer.Ordinal);

    /// <summary>Cancelled to break the open watches.</summary>
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
        web.Run(server.RespondAsync);
        await web.StartAsync(cancellationToken);
        server.Address = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    /// <summary>A kubeconfig for a user with this name.</summary>
    public string Kubeconfig(string user = "administrator", string @namespace = "default") =>
        $$"""
            apiVersion: v1
            kind: Config
            current-context: memory
            contexts: [{name: memory, context: {cluster: memory, user: memory, namespace: {{@namespace}} } }]
            clusters: [{name: memory, cluster: {server: "{{Address}}"} }]
            users: [{name: memory, user: {token: "{{user}}"} }]
            """;

    /// <summary>The current state of a Pod, or null.</summary>
    public JsonObject? FindPod(string @namespace, string name) => Store.Find(new ApiPath("v1", "pods", @namespace, name, ""));

    /// <summary>Breaks all watches, like a network failure.</summary>
    public void BreakWatches() => Interlocked.Exchange(ref _watches, new CancellationTokenSource()).Cancel();

    /// <summary>Drops the history and breaks all watches, like a restart: watchers have to list again.</summary>
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

    private Task RespondAsync(HttpContext context)
    {
        var endpoint = new ApiEndpoint(this);
        return Options.Interceptor is { } interceptor ? interceptor(context, endpoint.RespondAsync) : endpoint.RespondAsync(context);
    }
}

/// <summary>Options of an <see cref="InMemoryApiServer"/>.</summary>
internal sealed record InMemoryApiServerOptions
{
    /// <summary>The minor version it reports: below 27 there are no scheduling gates.</summary>
    public int MinorVersion { get; init; } = 36;

    /// <summary>The clock of creation times and of the responses' Date.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Middleware for every request, which may delay, handle or break it.</summary>
    public Func<HttpContext, RequestDelegate, Task>? Interceptor { get; init; }

    /// <summary>How often a watch gets a bookmark.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(10);
}
