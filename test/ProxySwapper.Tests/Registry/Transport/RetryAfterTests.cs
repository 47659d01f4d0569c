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
    public async Task No_registry_is_waited_for_longer_than_a_day(string value, int seconds) =>
        Assert.That((await RejectAsync(value)).RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase("NaN")]
    [TestCase("-1")]
    [TestCase("soon")]
    [TestCase("0")]
    [TestCase("Thu, 01 Jan 1970 00:00:00 GMT")]
    public async Task A_value_that_is_not_a_time_to_come_is_ignored(string value) =>
        Assert.That((await RejectAsync(value)).RetryAfter, Is.Null);

    private static async Task<RegistryException> RejectAsync(string retryAfter)
    {
        await using var scene = await RegistryScene.StartAsync();
        scene.Faulty.Always(
            HttpMethod.Get,
            Kind.Tags,
            (context, _) =>
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = retryAfter;
                return Task.CompletedTask;
            }
        );
        return Assert.ThrowsAsync<RegistryException>(async () => await scene.Client.ListTagsAsync("a", default).ToListAsync())!;
    }
}
