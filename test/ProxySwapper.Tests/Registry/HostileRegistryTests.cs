using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Population.Queue;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Inputs;

namespace ProxySwapper.Tests.Registry;

/// <summary>Hostile responses of registries and token servers; see <see cref="HostileRun"/>.</summary>
[TestFixture, NonParallelizable]
internal sealed class HostileRegistryTests
{
    private const int Operations = 2_000;
    private const int FirstSeed = 20_261_126;

    private static readonly RegistryOptions Options = new()
    {
        MaxRetries = 1,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxRetryDelay = TimeSpan.FromMilliseconds(2),
        ResponseTimeout = TimeSpan.FromMilliseconds(100),
        StallTimeout = TimeSpan.FromMilliseconds(100),
    };

    private static readonly Descriptor Blob = new("application/octet-stream", TestImage.Create(1, 1, 1000).Blobs.Keys.First(), 1000);

    private readonly IRegistryCredentialSource _login = new FixedCredential();

    [Test]
    public async Task Every_operation_ends_with_a_result_or_a_sentence()
    {
        var image = TestImage.Create(1, 2, 1000);
        await using var good = await InMemoryRegistry.StartAsync();
        image.AddTo(good, "team/app", "1");
        await using var bad = new HostileServer(
            Encoding.UTF8.GetString(image.Top.Bytes.Span),
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
            "manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":2,
            "platform":{"os":"linux","architecture":"amd64"},
            "annotations":{"a":"b"}}]}
            """,
            """{"name":"team/app","tags":["1","2","v1.2.3"]}""",
            """{"token":"t0k3n","access_token":"t0k3n","refresh_token":"r","expires_in":300,"issued_at":"2026-01-01T00:00:00Z"}""",
            """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone","detail":{"a":1}}]}""",
            """{"error":"invalid_scope","error_description":"no","message":"x"}"""
        )
        {
            MayHang = true,
        };
        await new HostileRun(bad, FirstSeed, Operations, FailureClassifier.IsExpected).RunAsync(async seed =>
        {
            using var clients = new RegistryClients(Options, TimeProvider.System, NullLoggerFactory.Instance);
            await RunAsync(seed, clients, good.Address, bad.Address);
        });
    }

    private async Task RunAsync(int seed, RegistryClients clients, string good, string bad)
    {
        var client = clients.For(RegistryName.Parse(bad), _login);
        switch (seed % 10)
        {
            case 0:
                await client.PingAsync(default);
                return;
            case 1:
                await client.HeadManifestAsync("team/app", "1", default);
                return;
            case 2:
                await client.GetManifestAsync("team/app", "1", default);
                return;
            case 3:
                await foreach (var _ in client.ListTagsAsync("team/app", default)) { }
                return;
            case 4:
                await client.ListReferrersAsync("team/app", Blob.Digest, default);
                return;
            case 5:
                await using (var content = await client.OpenBlobAsync("team/app", Blob, default))
                    await content.CopyToAsync(Stream.Null);
                return;
            case 6:
                await client.CheckUploadAsync("team/app", default);
                return;
            default:
                var (source, target) = seed % 2 == 0 ? (good, bad) : (bad, good);
                var copier = new ImageCopier(clients, TimeProvider.System, NullLogger<ImageCopier>.Instance);
                var request = new CopyRequest(
                    ImageReference.Parse($"{source}/team/app:1"),
                    ImageReference.Parse($"{target}/mirror/app:{seed}")
                )
                {
                    SourceCredentials = _login,
                    TargetCredentials = _login,
                    Referrers = seed % 3 == 0,
                };
                await copier.CopyAsync(request, default);
                return;
        }
    }

    private sealed class FixedCredential : IRegistryCredentialSource
    {
        public ValueTask<RegistryCredential?> GetAsync(ImageReference image, CancellationToken cancellationToken) =>
            new(RegistryCredential.Basic("user", "s3cr3t"));
    }
}
