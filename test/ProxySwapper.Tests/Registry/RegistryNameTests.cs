using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Registry;

[TestFixture]
internal sealed class RegistryNameTests
{
    [TestCase("docker.io", "docker.io")]
    [TestCase("index.docker.io", "docker.io")]
    [TestCase("registry-1.docker.io:443", "docker.io")]
    [TestCase("Registry.Hub.Docker.com", "docker.io")]
    [TestCase("Harbor.Example.com:443", "harbor.example.com")]
    [TestCase("LOCALHOST:5000", "localhost:5000")]
    [TestCase("registry:443", "registry:443")]
    [TestCase("[2001:DB8::1]:443", "[2001:db8::1]")]
    public void A_host_has_one_name(string text, string expected)
    {
        Assert.That(RegistryName.TryParse(text, out var name), Is.True);
        Assert.That((name.Text, name.IsDockerHub), Is.EqualTo((expected, expected == "docker.io")));
        Assert.That(name.ApiAuthority, Is.EqualTo(expected == "docker.io" ? "registry-1.docker.io" : expected));
        Assert.That(RegistryName.TryParse(name.Text, out var again) && again == name, Is.True);
        Assert.That(ImageReference.Parse($"{text}/team/x").Registry, Is.EqualTo(name), "an image names it the same");
    }

    [Test]
    public void Every_alias_of_Docker_Hub_is_the_same_registry()
    {
        RegistryName[] names = [.. RegistryName.DockerHubAliases.Append(RegistryName.DockerHubText).Select(RegistryName.Parse)];
        Assert.That(names, Has.Length.EqualTo(4).And.All.EqualTo(RegistryName.DockerHub));
        Assert.That(names.Distinct().Count(), Is.EqualTo(1), "a dictionary has one entry for it");
    }

    [Test]
    public void No_registry_is_not_Docker_Hub()
    {
        RegistryName none = default;
        Assert.That((none.Text, none.IsDockerHub, none == RegistryName.DockerHub), Is.EqualTo(("", false, false)));
        Assert.That(() => RegistryName.Parse("harbor"), Throws.InstanceOf<FormatException>().With.Message.Contains("'harbor'"));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("harbor")]
    [TestCase("https://harbor.example.com")]
    [TestCase("harbor.example.com/project")]
    [TestCase("harbor.example.com:port")]
    [TestCase("*.example.com")]
    [TestCase("-.example.com")]
    public void What_is_not_a_host_is_rejected(string? text) => Assert.That(RegistryName.TryParse(text, out _), Is.False);

    [TestCase("a:65535", null)]
    [TestCase("a:00443", null)]
    [TestCase("a:0", "a port is from 1 to 65535")]
    [TestCase("a:65536", "a port is from 1 to 65535")]
    [TestCase("[::1]:99999999999999999999", "a port is from 1 to 65535")]
    [TestCase("[::1]:5000", null)]
    [TestCase("[fe80::1]", null)]
    [TestCase("[:::]:5000", "an address in brackets is IPv6")]
    [TestCase("[1]:5000", "an address in brackets is IPv6")]
    public void A_host_is_within_what_the_network_allows(string text, string? fault)
    {
        Assert.That(RegistryName.TryParse(text, out _, out var found), Is.EqualTo(fault is null));
        Assert.That(found, Is.EqualTo(fault is null ? null : $"'{text}' is not a registry host: {fault}"));
    }

    [TestCase(63, 1, true)]
    [TestCase(64, 1, false)]
    [TestCase(1, 125, true)]
    [TestCase(1, 126, false)]
    public void A_host_name_is_no_longer_than_DNS_allows(int length, int count, bool isHost)
    {
        var text = string.Join('.', Enumerable.Repeat(new string('a', length), count).Append("abc"));
        Assert.That(RegistryName.TryParse($"{text}:5000", out _, out var fault), Is.EqualTo(isHost), fault);
        Assert.That(fault, isHost ? Is.Null : Does.Contain($"'{text}:5000' is not a registry host: ").And.Contain("characters long"));
    }

    [TestCase("*.example.com:*", true)]
    [TestCase("registry-*.example.com:5*", true)]
    [TestCase("*:0", false)]
    public void Stars_of_a_pattern_count_as_nothing(string pattern, bool isPossible) =>
        Assert.That(RegistryName.ValidateLimits(pattern), isPossible ? Is.Null : Does.Contain("port"));

    [TestCase("https://index.docker.io/v1/", "docker.io", "")]
    [TestCase("https://registry-1.docker.io/v2/", "docker.io", "")]
    [TestCase("Quay.io:443/team/", "quay.io", "team")]
    [TestCase("*.Example.com", "*.example.com", "")]
    [TestCase("harbor", "harbor", "")]
    public void An_address_of_Dockers_configuration_is_a_host_and_a_path(string address, string host, string path) =>
        Assert.That((RegistryName.HostOfAddress(address, out var found), found), Is.EqualTo((host, path)));
}
