using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Registries;
using Kind = ProxySwapper.Registry.InMemory.InMemoryRegistryRequestKind;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>Retry-After is external input: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after.</summary>
[TestFixture]
internal sealed class RetryAfterTests
{
    [TestCase("7200", 7200)]
    [TestCase("86401", 86400)]
    [TestCase("99999999", 86400)]
    [TestCase("99999999999999999999999999", 86400)]
    [TestCase("Fri, 31 Dec 9999 23:59:59 GMT", 86400)]
    [TestCase("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
    public async Task No_registry_is_waited_for_longer_than_a_day(string value, int seconds)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) =>
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = value;
                return Task.CompletedTask;
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(async () => await scene.Client.ListTagsAsync("a", default).ToListAsync())!;
        Assert.That(fault.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(seconds)));
    }

    [TestCase("NaN")]
    [TestCase("-1")]
    [TestCase("soon")]
    public async Task What_is_no_time_asks_for_nothing(string value)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) =>
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = value;
                return Task.CompletedTask;
            }
        );
        var fault = Assert.ThrowsAsync<RegistryException>(async () => await scene.Client.ListTagsAsync("a", default).ToListAsync())!;
        Assert.That(fault.RetryAfter, Is.Null);
    }
}
