using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ProxySwapper.Kubernetes;
using ProxySwapper.Kubernetes.Connection;

namespace ProxySwapper.Tests.Kubernetes;

/// <summary>Responds as a test says, for faults that a real API server cannot be made to produce.</summary>
internal sealed class ScriptedApiServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<RequestDelegate> _responses = new();

    private ScriptedApiServer(WebApplication application) => _application = application;

    public ConcurrentQueue<string> Requests { get; } = new();

    public ConcurrentQueue<string> Bodies { get; } = new();

    public ConcurrentQueue<Dictionary<string, string>> Headers { get; } = new();

    public Uri Address => new(_application.Urls.Single());

    public static async Task<ScriptedApiServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var server = new ScriptedApiServer(application);
        application.Run(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            server.Bodies.Enqueue(await body.ReadToEndAsync());
            server.Headers.Enqueue(context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()));
            server.Requests.Enqueue(
                (
                    $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} "
                    + $"{context.Request.Headers.Authorization}"
                ).TrimEnd()
            );
            await (
                server._responses.TryDequeue(out var respond)
                    ? respond(context)
                    : throw new InvalidOperationException("No response is scripted.")
            );
        });
        await application.StartAsync();
        return server;
    }

    public ScriptedApiServer Respond(int status, string body, params (string Name, string Value)[] headers)
    {
        _responses.Enqueue(context =>
        {
            context.Response.StatusCode = status;
            foreach (var (name, value) in headers)
                context.Response.Headers[name] = value;
            return context.Response.WriteAsync(body);
        });
        return this;
    }

    /// <summary>Responds with a body that the test writes piece by piece.</summary>
    public ScriptedStream RespondWithStream()
    {
        var stream = new ScriptedStream();
        _responses.Enqueue(stream.RunAsync);
        return stream;
    }

    public KubernetesClient Client(TimeProvider? time = null, IKubernetesCredentialSource? credentials = null) =>
        new(
            new KubernetesConnection(Address, credentials ?? new FileCredentialSource(TimeProvider.System))
            {
                UsesEnvironmentProxy = false,
            },
            time ?? TimeProvider.System
        );

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
