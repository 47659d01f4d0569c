using ProxySwapper.Registry;
using ProxySwapper.Testing.Documentation;
using Tomlyn;
using Tomlyn.Model;

namespace ProxySwapper.Tests.Documentation;

/// <summary>
/// The manual's configurations of containerd are TOML with the sections and keys that containerd reads
/// (<see href="https://github.com/containerd/containerd/blob/main/docs/hosts.md"/>).
/// </summary>
[TestFixture]
internal sealed class ManualContainerdTests
{
    private const string Folder = "/etc/containerd/certs.d";

    /// <summary>The plugin with the registries, by the version of the file (containerd's docs/cri/config.md).</summary>
    private static readonly Dictionary<long, string> Plugins = new()
    {
        [2] = "io.containerd.grpc.v1.cri",
        [3] = "io.containerd.cri.v1.images",
    };

    private static readonly string[] HostKeys = ["ca", "capabilities", "client", "header", "override_path", "skip_verify"];

    private static IEnumerable<TestCaseData> Configurations =>
        from page in ManualPage.All
        from block in page.Blocks.Index()
        // What `tee` prints of a file is a block of text.
        where block.Item.Language == "toml" || block.Item.Text.StartsWith("[host.", StringComparison.Ordinal)
        select new TestCaseData(block.Item.Text).SetArgDisplayNames(page.Path, $"block {block.Index}");

    [TestCaseSource(nameof(Configurations))]
    public void Configurations_of_containerd_are_valid(string text) => Assert.That(FaultOf(text), Is.Null);

    [TestCase("[host.\"https://r.example\"", "TOML")]
    [TestCase("[host.\"r.example\"]", "must be a URL")]
    [TestCase("[host.\"https://r.example\"]\nauthority = \"x\"", "authority")]
    [TestCase("[host.\"https://r.example\"]\nca = \"/tmp/ca.crt\"", Folder)]
    [TestCase("[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc/containerd/certs.d\"", "version")]
    [TestCase("version = 3\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc/containerd/certs.d\"", "images")]
    [TestCase("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc\"", "config_path")]
    public void Invalid_configurations_are_seen(string text, string fault)
    {
        Assert.That(FaultOf(text), Does.Contain(fault));
        Assert.That(Configurations.Count(), Is.AtLeast(4));
    }

    [Test]
    public void Every_block_has_a_language_that_a_test_reads() =>
        Assert.That(
            ManualPage.All.SelectMany(page => page.Blocks).Select(block => block.Language).Distinct(),
            Is.SubsetOf(new[] { "", "console", "json", "mermaid", "sh", "text", "toml", "yaml" })
        );

    private static string? FaultOf(string text)
    {
        TomlTable file;
        try
        {
            file = TomlSerializer.Deserialize<TomlTable>(text)!;
        }
        catch (TomlException fault)
        {
            return $"not TOML: {fault.Message}";
        }
        return file.ContainsKey("host") ? FaultOfHosts(file) : FaultOfMain(file);
    }

    private static string? FaultOfHosts(TomlTable file)
    {
        foreach (var (address, value) in (TomlTable)file["host"])
        {
            if (
                !Uri.TryCreate(address, UriKind.Absolute, out var url)
                || url.Scheme is not ("http" or "https")
                || !RegistryName.IsRegistry(url.Authority)
            )
                return $"{address} must be a URL";
            var host = (TomlTable)value;
            if (host.Keys.Except(HostKeys).FirstOrDefault() is { } unknown)
                return $"containerd has no key {unknown}";
            if (host.TryGetValue("ca", out var ca) && ca as string != $"{Folder}/{url.Authority}/ca.crt")
                return $"{ca} must be in {Folder}/{url.Authority}";
        }
        return null;
    }

    private static string? FaultOfMain(TomlTable file)
    {
        if (!file.TryGetValue("version", out var version) || version is not long number || !Plugins.TryGetValue(number, out var plugin))
            return "version must be 2 or 3";
        if (((TomlTable)file["plugins"]).Keys.SequenceEqual([plugin]) is false)
            return $"version {number} has the registries in {plugin}";
        return
            ((TomlTable)((TomlTable)file["plugins"])[plugin])["registry"] is TomlTable registry
            && registry["config_path"] as string == Folder
            ? null
            : $"config_path must be {Folder}";
    }
}
