using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Population.Work;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Images;

namespace ProxySwapper.Tests.Population.Transfer;

[TestFixture]
internal sealed class CacheWarmerTests : IDisposable
{
    private readonly ConcurrentQueue<string> _requests = new();
    private InMemoryRegistry _cache = null!;
    private readonly RegistryClients _clients = new(new RegistryOptions(), TimeProvider.System, NullLoggerFactory.Instance);
    private CacheWarmer _warmer = null!;

    [SetUp]
    public async Task Start()
    {
        _requests.Clear();
        _cache = await InMemoryRegistry.StartAsync(new InMemoryRegistryOptions { Interceptor = Note });
        _warmer = new CacheWarmer(_clients, CredentialChain.Anonymous, TimeProvider.System);
    }

    [TearDown]
    public ValueTask Stop() => _cache.DisposeAsync();

    public void Dispose() => _clients.Dispose();

    [Test]
    public async Task Exactly_what_a_node_of_the_platform_pulls_is_pulled()
    {
        var image = TestImage.Create(1, 3, 1000, "amd64", "arm64");
        image.AddTo(_cache, "hub/app", "1");
        var result = await WarmAsync("hub/app:1", "arm64");
        var pulled = _requests.Where(request => request.Contains("/blobs/", StringComparison.Ordinal)).ToList();
        Assert.That((result.Outcome, result.Digest, pulled.Count), Is.EqualTo((TransferOutcome.Warmed, image.Top.Digest.ToString(), 4)));
        Assert.That(
            _requests.Take(2),
            Is.EqualTo(["GET /v2/hub/app/manifests/1", $"GET /v2/hub/app/manifests/{image.Platforms["arm64"].Digest}"])
        );
    }

    [Test]
    public async Task A_second_warm_up_asks_for_manifests_only()
    {
        TestImage.Create(2, 2, 1000, "amd64", "arm64").AddTo(_cache, "hub/app", "1", "2");
        await WarmAsync("hub/app:1", "amd64");
        _requests.Clear();
        var again = await WarmAsync("hub/app:2", "amd64");
        Assert.That(
            (again.Outcome, _requests.Count, _requests.Any(request => request.Contains("/blobs/", StringComparison.Ordinal))),
            Is.EqualTo((TransferOutcome.UpToDate, 2, false))
        );
    }

    [Test]
    public async Task A_single_manifest_needs_no_platform()
    {
        TestImage.Create(3).AddTo(_cache, "hub/app", "1");
        Assert.That((await WarmAsync("hub/app:1", "s390x")).Outcome, Is.EqualTo(TransferOutcome.Warmed));
    }

    [Test]
    public void A_platform_that_the_image_does_not_have_is_named_with_those_that_it_has()
    {
        TestImage.Create(4, 1, 100, "amd64", "arm64").AddTo(_cache, "hub/app", "1");
        var fault = Assert.ThrowsAsync<FormatException>(() => WarmAsync("hub/app:1", "s390x"));
        Assert.That(fault!.Message, Does.Contain("linux/s390x").And.Contain("linux/amd64, linux/arm64"));
    }

    [Test]
    public async Task Content_with_another_digest_fails_the_warm_up()
    {
        var image = TestImage.Create(5, 1, 1000);
        image.AddTo(_cache, "hub/app", "1");
        var layer = image.Blobs.Keys.Last();
        _cache.Repository("hub/app").Blobs[layer] = new byte[1000];
        Assert.That(() => WarmAsync("hub/app:1", "amd64"), Throws.TypeOf<RegistryException>());
        _cache.Repository("hub/app").Blobs[layer] = image.Blobs[layer];
        Assert.That((await WarmAsync("hub/app:1", "amd64")).Outcome, Is.EqualTo(TransferOutcome.Warmed));
    }

    private Task<TransferResult> WarmAsync(string image, string architecture)
    {
        var target = ImageReference.Parse($"{_cache.Address}/{image}");
        return _warmer.WarmAsync(new WarmUpWork(target, target.Repository, new Platform("linux", architecture)), new Silent(), default);
    }

    private Task Note(HttpContext context, RequestDelegate next)
    {
        _requests.Enqueue($"{context.Request.Method} {context.Request.Path}");
        return next(context);
    }

    private sealed class Silent : IProgress<CopyProgress>
    {
        public void Report(CopyProgress value) { }
    }
}
