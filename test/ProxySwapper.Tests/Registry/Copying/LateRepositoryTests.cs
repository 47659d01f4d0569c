using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Testing.Images;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Copying;

/// <summary>A new repository that becomes visible to pushes some seconds after its creation, as in ECR.</summary>
[TestFixture]
internal sealed class LateRepositoryTests
{
    [Test]
    public async Task A_repository_that_is_visible_late_is_waited_for()
    {
        var time = new SkippingTimeProvider(TimeSpan.FromSeconds(9));
        DateTimeOffset? createdAt = null;
        await using var source = await InMemoryRegistry.StartAsync();
        await using var target = await InMemoryRegistry.StartAsync(
            new InMemoryRegistryOptions
            {
                Interceptor = async (context, next) =>
                {
                    if (
                        HttpMethods.IsPost(context.Request.Method)
                        && (createdAt is null || time.GetUtcNow() < createdAt + TimeSpan.FromSeconds(2))
                    )
                    {
                        context.Response.StatusCode = StatusCodes.Status404NotFound;
                        await context.Response.WriteAsync("""{"errors":[{"code":"NAME_UNKNOWN","message":"repository unknown"}]}""");
                        return;
                    }
                    await next(context);
                },
            }
        );
        var image = TestImage.Create(5, 2, 1000);
        image.AddTo(source, "team/app", "1");
        using var clients = new RegistryClients(RegistryScene.Options, time, NullLoggerFactory.Instance);
        var created = 0;
        await new ImageCopier(clients, time, NullLogger<ImageCopier>.Instance).CopyAsync(
            new CopyRequest(ImageReference.Parse($"{source.Address}/team/app:1"), ImageReference.Parse($"{target.Address}/mirror/app:1"))
            {
                CreateRepository = (_, _) =>
                {
                    created++;
                    createdAt ??= time.GetUtcNow();
                    return new(true);
                },
            },
            default
        );
        Assert.That((created, target.Repository("mirror/app").Find("1")?.Digest), Is.EqualTo((1, image.Top.Digest)));
    }
}
