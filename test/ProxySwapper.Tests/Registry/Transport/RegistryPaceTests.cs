using ProxySwapper.Registry;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Distribution;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Registries;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.Tests.Registry.Transport;

[TestFixture]
internal sealed class RegistryPaceTests
{
    [Test]
    public async Task A_host_with_a_pace_gets_requests_at_that_pace_from_all_its_clients_together()
    {
        await using var registry = await FaultyRegistry.StartAsync();
        await using var other = await FaultyRegistry.StartAsync();
        var time = new ManualTimeProvider();
        var options = RegistryScene.Options with
        {
            Hosts = new Dictionary<RegistryName, RegistryHostOptions>
            {
                [RegistryName.Parse(registry.Address)] = new() { PlainHttp = true, RequestsPerSecond = 4 },
                [RegistryName.Parse(other.Address)] = new() { PlainHttp = true },
            },
        };
        using var log = new CapturedLog();
        using var clients = new RegistryClients(options, time, log);
        var pings = Enumerable
            .Range(0, 6)
            .Select(_ => clients.For(RegistryName.Parse(registry.Address), CredentialChain.Anonymous).PingAsync(default))
            .ToList();
        await clients.For(RegistryName.Parse(other.Address), CredentialChain.Anonymous).PingAsync(default);
        await pings[0];
        for (var sent = 1; sent < 6; sent++)
        {
            // All the others wait for their turn.
            for (var turn = 1; turn <= 6 - sent; turn++)
                await time.WaitForTimerAsync(turn * TimeSpan.FromMilliseconds(250));
            Assert.That((registry.Received.Count, pings.Count(ping => ping.IsCompleted)), Is.EqualTo((sent, sent)));
            time.Advance(TimeSpan.FromMilliseconds(249));
            Assert.That(registry.Received, Has.Count.EqualTo(sent));
            time.Advance(TimeSpan.FromMilliseconds(1));
            await TestWait.UntilAsync(() => pings.Count(ping => ping.IsCompleted) == sent + 1);
        }
        await Task.WhenAll(pings);
    }
}
