using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using ProxySwapper.Registry;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Transport;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Registry.Transport;

/// <summary>Names that resolve to the clouds' metadata services, as an image, a redirect or a token server's realm can contain.</summary>
[TestFixture]
internal sealed class LinkLocalConnectionTests
{
    [TestCase("169.254.169.254")]
    [TestCase("fd00:ec2::254")]
    [TestCase("168.63.129.16")]
    [TestCase("100.100.100.200")]
    [TestCase("fd20:ce::254")]
    [TestCase("fd00:ec2::254%1")]
    [TestCase("::ffff:169.254.169.254")]
    [TestCase("::ffff:0:169.254.169.254")]
    [TestCase("169.254.169.254", "fe80::1")]
    public void A_name_of_a_link_local_address_is_not_connected_to(params string[] addresses)
    {
        var fault = Assert.ThrowsAsync<RegistryException>(() => GetAsync("metadata.example.com", addresses))!;
        Assert.That(
            fault.Message,
            Does.Contain($"has the link-local or cloud metadata address {IPAddress.Parse(addresses[0])}: connections to it are not allowed")
        );
        Assert.That(fault.IsTransient, Is.False, "the same request is not sent again");
    }

    [Test]
    public void A_name_with_letters_beyond_ASCII_is_not_either() =>
        Assert.That(
            async () => await GetAsync("m\u00ebta.example.com", "169.254.169.254"),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("link-local")
        );

    [Test]
    public void An_address_is_not_connected_to_either() =>
        Assert.That(
            async () => await GetAsync("169.254.169.254"),
            Throws.InstanceOf<RegistryException>().With.Message.Contain("link-local")
        );

    [Test]
    public async Task Other_addresses_of_the_name_are()
    {
        await using var registry = await InMemoryRegistry.StartAsync();
        var port = registry.Address[registry.Address.IndexOf(':')..];
        Assert.That(await GetAsync($"registry.example.com{port}", "169.254.169.254", "127.0.0.1"), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public void The_charts_network_policy_excepts_the_same()
    {
        var template = File.ReadAllText(SourceTree.PathOf("chart", "templates", "_network.tpl"));
        var excepted = Regex
            .Matches(template, @"except: \[(?<list>[^\]]+)\]")
            .SelectMany(match => match.Groups["list"].Value.Split(','))
            .Select(text => IPNetwork.Parse(text.Trim(' ', '"')));
        Assert.That(excepted, Is.EquivalentTo(MetadataAddress.Networks));
    }

    private static async Task<HttpStatusCode> GetAsync(string host, params string[] addresses)
    {
        using var connections = new ConnectionPool((_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()));
        var registry = RegistryName.Parse("registry.example.com");
        var sender = new RegistryHost(registry, new RegistryOptions(), connections, TimeProvider.System, NullLoggerFactory.Instance).Sender;
        var request = new RegistryRequest(HttpMethod.Get, registry, "", new Uri($"http://{host}/v2/")) { Expected = [HttpStatusCode.OK] };
        using var response = await sender.SendAsync(request, null, default);
        return response.Status;
    }
}
