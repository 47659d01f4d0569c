using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.InMemory;

/// <summary>
/// A whole registry in this process and in memory (OCI distribution 1.1: pull, push, mount, chunks, tags, referrers), on a free
/// port of the loopback address. For <c>proxyswapper demo</c> and for tests; it keeps nothing.
/// </summary>
internal sealed class InMemoryRegistry : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<(string Method, InMemoryRegistryRequestKind Kind), int> _requests = new();

    private InMemoryRegistry(WebApplication server, InMemoryRegistryOptions options)
    {
        _server = server;
        Options = options;
    }

    public InMemoryRegistryOptions Options { get; }

    /// <summary>Host and port, as references write it: <c>127.0.0.1:40123</c>.</summary>
    public string Address { get; private set; } = "";

    public ConcurrentDictionary<string, InMemoryRegistryRepository> Repositories { get; } = new(StringComparer.Ordinal);

    /// <summary>Requests that came, those that an interceptor answered and those that were turned away included.</summary>
    public int Requests => _requests.Values.Sum();

    /// <summary>Starts a registry; it runs until it is disposed.</summary>
    public static async Task<InMemoryRegistry> StartAsync(
        InMemoryRegistryOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        options ??= new InMemoryRegistryOptions();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = null;
                kestrel.Limits.MinRequestBodyDataRate = null;
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.AddServerHeader = false;
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                    {
                        if (options.Certificate is { } certificate)
                            listen.UseHttps(certificate);
                    }
                );
            });
        if (options.Certificate is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        var server = builder.Build();
        var registry = new InMemoryRegistry(server, options);
        server.Run(registry.AnswerAsync);
        await server.StartAsync(cancellationToken);
        var address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        registry.Address = new Uri(address).Authority;
        return registry;
    }

    public InMemoryRegistryRepository Repository(string name) => Repositories.GetOrAdd(name, _ => new InMemoryRegistryRepository());

    /// <summary>Requests with this method about this.</summary>
    public int Count(HttpMethod method, InMemoryRegistryRequestKind kind) => _requests.GetValueOrDefault((method.Method, kind));

    public void ResetCounts() => _requests.Clear();

    /// <summary>Puts a blob in without a request.</summary>
    public Descriptor AddBlob(string repository, ReadOnlyMemory<byte> content, string mediaType = "application/octet-stream")
    {
        var digest = Digest.OfBytes(content.Span);
        Repository(repository).Blobs[digest] = content;
        return new Descriptor(mediaType, digest, content.Length);
    }

    /// <summary>Puts a manifest in without a request and without a look at what it names.</summary>
    public Descriptor AddManifest(string repository, string mediaType, ReadOnlyMemory<byte> content, params IEnumerable<string> tags)
    {
        var manifest = new Manifest(mediaType, Digest.OfBytes(content.Span), content);
        Repository(repository).Manifests[manifest.Digest] = manifest;
        foreach (var tag in tags)
            Repository(repository).Tags[tag] = manifest.Digest;
        return manifest.Descriptor;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var kind = InMemoryRegistryRoute.Of(context.Request).Kind;
        _requests.AddOrUpdate((context.Request.Method, kind), 1, (_, count) => count + 1);
        var endpoint = new InMemoryRegistryEndpoint(this);
        return Options.Interceptor is { } interceptor ? interceptor(context, endpoint.AnswerAsync) : endpoint.AnswerAsync(context);
    }
}
