using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Two registries with injectable faults, and a copier between them with very short pauses.</summary>
internal sealed class CopyScene : IAsyncDisposable
{
    private CopyScene(FaultyRegistry source, FaultyRegistry target, RegistryOptions options, TimeProvider time)
    {
        (Source, Target) = (source, target);
        Clients = new RegistryClients(options, time, NullLoggerFactory.Instance);
        Copier = new ImageCopier(Clients, time, NullLogger<ImageCopier>.Instance);
    }

    /// <summary>Very short pauses, and timeouts for requests that a random fault makes hang.</summary>
    private static RegistryOptions Options { get; } =
        new()
        {
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(5),
            ResponseTimeout = TimeSpan.FromSeconds(10),
            StallTimeout = TimeSpan.FromSeconds(10),
        };

    public FaultyRegistry Source { get; }

    public FaultyRegistry Target { get; }

    public RegistryClients Clients { get; }

    public ImageCopier Copier { get; }

    public static async Task<CopyScene> StartAsync(InMemoryRegistryOptions? target = null, InMemoryRegistryOptions? source = null) =>
        new(await FaultyRegistry.StartAsync(source), await FaultyRegistry.StartAsync(target), Options, TimeProvider.System);

    /// <summary>The same with a clock that a test moves; it does not reach the timeouts of requests.</summary>
    public static async Task<CopyScene> StartAsync(SkippingTimeProvider time, RegistryOptions? options = null) =>
        new(await FaultyRegistry.StartAsync(), await FaultyRegistry.StartAsync(), options ?? RegistryScene.Options, time);

    public CopyRequest Request(string source = "team/app:1", string target = "mirror/app:1") =>
        new(ImageReference.Parse($"{Source.Address}/{source}"), ImageReference.Parse($"{Target.Address}/{target}"));

    public Task<CopyResult> CopyAsync(CopyRequest? request = null) => Copier.CopyAsync(request ?? Request(), CancellationToken.None);

    /// <summary>The invariant: whatever a tag or manifest references exists, byte for byte.</summary>
    public static void AssertWhole(InMemoryRegistry registry, bool isSparse = false)
    {
        foreach (var (name, repository) in registry.Repositories)
        {
            foreach (var (tag, digest) in repository.Tags)
                Assert.That(repository.Manifests.ContainsKey(digest), Is.True, $"{name}:{tag}");
            foreach (var (digest, manifest) in repository.Manifests)
            {
                Assert.That(digest.Matches(manifest.Bytes.Span), Is.True, $"{name}@{digest}");
                var json = JsonNode.Parse(manifest.Bytes.Span)!;
                foreach (var child in json["manifests"]?.AsArray() ?? [])
                    if (!isSparse)
                        Assert.That(
                            repository.Manifests.ContainsKey(Digest.Parse((string)child!["digest"]!)),
                            Is.True,
                            $"{name}@{digest} names a manifest that is not there"
                        );
                foreach (
                    var blob in (json["layers"]?.AsArray() ?? [])
                        .Append(json["config"])
                        .OfType<JsonNode>()
                        .Where(blob => blob["urls"] is null)
                )
                    Assert.That(
                        repository.Blobs.ContainsKey(Digest.Parse((string)blob["digest"]!)),
                        Is.True,
                        $"{name}@{digest} names a blob that is not there"
                    );
            }
            foreach (var (digest, bytes) in repository.Blobs)
                Assert.That(digest.Matches(bytes.Span), Is.True, $"blob {digest}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Clients.Dispose();
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }
}
