using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>Blobs that the target registry already has, or that several copies need at once, are transferred at most once.</summary>
[TestFixture]
internal sealed class BlobMountTests : CopyFixture
{
    [Test]
    public async Task A_blob_that_another_repository_of_the_target_has_is_mounted()
    {
        TestImage.Create(1).AddTo(Scene.Source.Registry, "team/app", "1");
        await Scene.CopyAsync();
        var result = await Scene.CopyAsync(Scene.Request(target: "other/app:1"));
        Assert.That((result.BlobsCopied, result.BlobsMounted), Is.EqualTo((0, 3)));
    }

    [Test]
    public async Task A_registry_that_claims_to_have_a_layer_of_another_one_gets_nothing_mounted()
    {
        await using var liar = await FaultyRegistry.StartAsync();
        var secret = TestImage.Create(7, layers: 1);
        secret.AddTo(Scene.Source.Registry, "team/private", "1");
        await Scene.CopyAsync(Scene.Request("team/private:1", "mirror/private:1"));
        liar.Registry.AddManifest("evil/app", secret.Top.MediaType, secret.Top.Bytes, "1");
        liar.Always(
            HttpMethod.Head,
            InMemoryRegistryRequestKind.Blob,
            (context, _) =>
            {
                var digest = Digest.Parse(context.Request.Path.Value!.Split('/')[^1]);
                context.Response.ContentLength = secret.Blobs[digest].Length;
                return Task.CompletedTask;
            }
        );
        var request = new CopyRequest(
            ImageReference.Parse($"{liar.Address}/evil/app:1"),
            ImageReference.Parse($"{Scene.Target.Address}/mirror/evil:1")
        );
        Assert.That(async () => await Scene.CopyAsync(request), Throws.Exception.With.Message.Contain("not found (HTTP 404)"));
        Assert.That(Scene.Target.Registry.Count(HttpMethod.Post, InMemoryRegistryRequestKind.Mount), Is.Zero);
    }

    [Test]
    public async Task A_mount_that_is_rejected_becomes_an_upload()
    {
        TestImage.Create(1).AddTo(Scene.Source.Registry, "team/app", "1");
        await Scene.CopyAsync();
        Scene.Target.Always(HttpMethod.Post, InMemoryRegistryRequestKind.Mount, RegistryFaults.RejectedMount);
        var result = await Scene.CopyAsync(Scene.Request(target: "other/app:1"));
        Assert.That((result.BlobsCopied, result.BlobsMounted), Is.EqualTo((3, 0)));
    }

    [Test]
    public async Task Within_one_host_blobs_are_mounted_from_the_source_repository()
    {
        TestImage.Create(1).AddTo(Scene.Target.Registry, "team/app", "1");
        var host = Scene.Target.Address;
        var result = await Scene.CopyAsync(
            new CopyRequest(ImageReference.Parse($"{host}/team/app:1"), ImageReference.Parse($"{host}/copy/app:1"))
        );
        Assert.That((result.BlobsCopied, result.BlobsMounted), Is.EqualTo((0, 3)));
    }

    [Test]
    public async Task Of_many_copies_at_once_each_digest_moves_once()
    {
        TestImage.Create(1, layers: 6, layerSize: 200_000).AddTo(Scene.Source.Registry, "team/app", "1");
        var results = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(index => Scene.CopyAsync(Scene.Request(target: $"mirror/app{index % 4}:{index}")))
        );
        Assert.That((results.Sum(result => result.BlobsCopied), Scene.Target.Registry.Repositories.Count), Is.EqualTo((7, 4)));
        Assert.That(
            Scene.Source.Received.Count(request => request.Method == "GET" && request.Path.Contains("/blobs/", StringComparison.Ordinal)),
            Is.EqualTo(7)
        );
    }

    [Test, CancelAfter(60_000)]
    public async Task Images_that_share_layers_never_wait_for_each_other_in_a_circle(CancellationToken cancellationToken)
    {
        // Images with the same seed share their first layers.
        for (var layers = 2; layers < 10; layers++)
            TestImage.Create(1, layers, layerSize: 20_000).AddTo(Scene.Source.Registry, "team/app", $"{layers}");
        for (var round = 0; round < 5; round++)
        {
            var copier = new ImageCopier(
                Scene.Clients,
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLogger<ImageCopier>.Instance
            );
            await Task.WhenAll(
                Enumerable
                    .Range(0, 24)
                    .Select(index =>
                        copier.CopyAsync(Scene.Request($"team/app:{index % 8 + 2}", $"round{round}/app{index}:1"), cancellationToken)
                    )
            );
        }
        Assert.That(Scene.Target.Registry.Repositories, Has.Count.EqualTo(120));
    }

    [Test]
    public async Task What_was_known_to_be_there_and_is_gone_is_sent_again()
    {
        var image = TestImage.Create(1);
        image.AddTo(Scene.Source.Registry, "team/app", "1", "2");
        await Scene.CopyAsync();
        Scene.Target.Registry.Repositories["mirror/app"].Blobs.Clear();
        Scene.Target.Registry.Repositories["mirror/app"].Manifests.Clear();
        Scene.Target.Registry.Repositories["mirror/app"].Tags.Clear();
        Assert.That((await Scene.CopyAsync()).BlobsCopied, Is.EqualTo(3));
    }
}
