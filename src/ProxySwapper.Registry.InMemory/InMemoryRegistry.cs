using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Registry.InMemory;

/// <summary>
/// An in-memory registry in this process (OCI distribution 1.1: pull, push, mount, chunks, tags, referrers), on a free port of the loopback
/// address. For <c>proxyswapper demo</c> and for tests; it stores nothing.
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

    /// <summary>Host and port, in the form used in references: <c>127.0.0.1:40123</c>.</summary>
    public string Address { get; private set; } = "";

    public ConcurrentDictionary<string, InMemoryRegistryRepository> Repositories { get; } = new(StringComparer.Ordinal);

    /// <summary>All requests received, including those handled by an interceptor or rejected.</summary>
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
        server.Run(registry.RespondAsync);
        await server.StartAsync(cancellationToken);
        var address = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        registry.Address = new Uri(address).Authority;
        return registry;
    }

    public InMemoryRegistryRepository Repository(string name) => Repositories.GetOrAdd(name, _ => new InMemoryRegistryRepository());

    /// <summary>The number of requests with this method and kind.</summary>
    public int Count(HttpMethod method, InMemoryRegistryRequestKind kind) => _requests.GetValueOrDefault((method.Method, kind));

    public void ResetCounts() => _requests.Clear();

    /// <summary>Adds a blob without a request.</summary>
    public Descriptor AddBlob(string repository, ReadOnlyMemory<byte> content, string mediaType = "application/octet-stream")
    {
        var digest = Digest.OfBytes(content.Span);
        Repository(repository).Blobs[digest] = content;
        return new Descriptor(mediaType, digest, content.Length);
    }

    /// <summary>Adds a manifest without a request and without checking its references.</summary>
    public Descriptor AddManifest(string repository, string mediaType, ReadOnlyMemory<byte> content, params IEnumerable<string> tags)
    {
        var manifest = new Manifest(mediaType, Digest.OfBytes(content.Span), content);
        Repository(repository).Manifests[manifest.Digest] = manifest;
        foreach (var tag in tags)
            Repository(repository).Tags[tag] = manifest.Digest;
        return manifest.Descriptor;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task RespondAsync(HttpContext context)
    {
        var kind = InMemoryRegistryRoute.Of(context.Request).Kind;
        _requests.AddOrUpdate((context.Request.Method, kind), 1, (_, count) => count + 1);
        var endpoint = new InMemoryRegistryEndpoint(this);
        return Options.Interceptor is { } interceptor ? interceptor(context, endpoint.RespondAsync) : endpoint.RespondAsync(context);
    }
}

/// <summary>One repository of an <see cref="InMemoryRegistry"/>.</summary>
internal sealed class InMemoryRegistryRepository
{
    public ConcurrentDictionary<Digest, ReadOnlyMemory<byte>> Blobs { get; } = new();

    public ConcurrentDictionary<Digest, Manifest> Manifests { get; } = new();

    public ConcurrentDictionary<string, Digest> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Open upload sessions by name, with the bytes received so far.</summary>
    public ConcurrentDictionary<string, MemoryStream> Uploads { get; } = new(StringComparer.Ordinal);

    /// <summary>The manifest of a tag or digest, or null.</summary>
    public Manifest? Find(string reference) =>
        (Digest.TryParse(reference, out var digest) || Tags.TryGetValue(reference, out digest))
        && Manifests.TryGetValue(digest, out var manifest)
            ? manifest
            : null;
}
