using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Tests.Configuration;

/// <summary>Environment variables override the file, and a fault in one names the variable.</summary>
[TestFixture]
internal sealed class EnvironmentOverlayTests
{
    [Test]
    public void The_environment_overrides_the_file()
    {
        var options = Read(
            "proxyUrl: a.example\nport: 1\nPopulate: {maxRetries: 3}",
            new()
            {
                ["PROXY_URL"] = "b.example",
                ["PROXYSWAPPER_PORT"] = "2",
                ["PROXYSWAPPER_POPULATE_MAX_RETRIES"] = "4",
                ["PROXYSWAPPER_POPULATE_PULLSECRETS"] = "true",
                ["PROXYSWAPPER_IGNORE_IMAGES"] = "nginx, quay.io/**",
            }
        );
        Assert.That(
            (options.ProxyUrl, options.Port, options.Populate.MaxRetries, options.Populate.PullSecrets),
            Is.EqualTo(("b.example", 2, 4, true))
        );
        Assert.That(options.IgnoreImages, Is.EqualTo(new[] { "nginx", "quay.io/**" }));
    }

    [Test]
    public void A_section_without_a_value_is_filled_by_variables([Values("populate:", "populate: ~", "Populate: {gate: }")] string text)
    {
        var populate = Read(
            text,
            new() { ["PROXYSWAPPER_POPULATE_POLICY"] = "delayed", ["PROXYSWAPPER_POPULATE_GATE_JOBS"] = "false" }
        ).Populate;
        Assert.That((populate.Policy, populate.Gate.Jobs), Is.EqualTo((PopulatePolicy.Delayed, false)));
    }

    [Test]
    public void A_line_end_after_a_choice_does_not_matter() =>
        Assert.That(Read("", new() { ["PROXYSWAPPER_SWAP_POLICY"] = "exists\n" }).SwapPolicy, Is.EqualTo(SwapPolicy.Exists));

    [Test]
    public void A_variable_counts_however_it_is_spelled(
        [Values("PROXYSWAPPER_POPULATE_POLICY", "PROXYSWAPPER_POPULATEPOLICY")] string variable
    )
    {
        const string Text = "proxyUrl: r.example.com\nadmissionPolicy: {name: swap}\n";
        var environment = new Dictionary<string, string> { [variable] = "gate" };
        Assert.That(
            () => new ServedPolicy().Apply("c.yaml", Text, new EnvironmentVariables(environment), Read(Text, environment)),
            Throws.TypeOf<ConfigurationException>().With.Message.StartsWith($"{variable}: populate.policy: gate depends on which images")
        );
    }

    [Test]
    public void A_fault_of_a_variable_names_the_variable() =>
        Assert.That(
            FaultsOf("port: 1", new() { ["PROXYSWAPPER_PORT"] = "x" }).Single(),
            Does.StartWith("PROXYSWAPPER_PORT: port: must be an integer")
        );

    [Test]
    public void A_misspelled_variable_is_reported() =>
        Assert.That(
            FaultsOf("", new() { ["PROXYSWAPPER_PROXYURI"] = "x" }).Single(),
            Does.StartWith("PROXYSWAPPER_PROXYURI: unknown variable").And.Contain("PROXYSWAPPER_PROXY_URL")
        );

    [Test]
    public void Variables_of_services_and_of_other_commands_are_not_settings() =>
        Assert.That(
            () =>
                Read(
                    "",
                    new()
                    {
                        ["PROXYSWAPPER_PORT"] = "tcp://10.0.0.1:443",
                        ["PROXYSWAPPER_PORT_443_TCP"] = "tcp://10.0.0.1:443",
                        ["PROXYSWAPPER_PORT_443_TCP_ADDR"] = "10.0.0.1",
                        ["PROXYSWAPPER_SERVICE_HOST"] = "10.0.0.1",
                        ["PROXYSWAPPER_SERVICE_PORT_HTTPS"] = "443",
                        ["PROXYSWAPPER_MIRROR_DEBUG"] = "true",
                    }
                ),
            Throws.Nothing
        );

    private static ProxySwapperOptions Read(string text, Dictionary<string, string> environment) =>
        ConfigurationReader.ReadText("c.yaml", text, new EnvironmentVariables(environment));

    private static List<string> FaultsOf(string text, Dictionary<string, string> environment) =>
        [.. Assert.Throws<ConfigurationException>(() => Read(text, environment))!.Faults.Select(fault => fault.ToString())];
}
