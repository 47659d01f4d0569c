using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Manifests;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.IntegrationTests.Manifests;

/// <summary>Scalars of manifests are for us what they are for kubectl.</summary>
[TestFixture, NeedsServer]
internal sealed class KubectlScalarTests
{
    private static readonly string[] Scalars =
    [
        .. "~ null Null NULL nULL true True TRUE tRue false False FALSE yes Yes YES yEs no No NO on On ON off Off OFF y Y n N".Split(' '),
        .. "0 -0 +1 7 00 08 010 0o10 0o8 0O7 0b101 0B1 -0b1 0b2 0x1F -0x1f +0x1F 0X1F 0x 0xZZ 0x_1".Split(' '),
        .. "1_000 -1_000 1__0 0_1 1_ _1 1_0.5 1_000.5e3 1,000 1:30 190:20:30 2001-01-01 2001-12-14t21:59:43.10-05:00".Split(' '),
        .. "1.5 +1.5 -.5 +.5 .5 .5_0 5. 0.0 1e3 1E3 1e 1.e1 .5e-2 1e400 . +. + 1.2.3 1.5-alpine".Split(' '),
        .. "9223372036854775807 -9223372036854775808 9223372036854775808 18446744073709551615 18446744073709551616".Split(' '),
        .. "0xFFFFFFFFFFFFFFFF 0x1FFFFFFFFFFFFFFFF NaN nan inf Infinity .inF = nginx 'null' '7' \"7\"".Split(' '),
        "!!str 7",
        "! 7",
        "!!int '7'",
        "!!bool 'true'",
    ];

    [Test]
    public async Task Scalars_are_what_they_are_for_kubectl()
    {
        var text = $"apiVersion: example.com/v1\nkind: Example\nmetadata: {{name: a}}\nspec:\n{string.Concat(Scalars.Select(Item))}";
        var kubectl = Path.Combine(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS")!, "kubectl");
        var (exitCode, output, error) = await TestProcess.RunAsync(
            kubectl,
            ["annotate", "--local", "--filename", "-", "--output", "json", "--kubeconfig", "/dev/null", "a=b"],
            input: text
        );
        Assert.That(exitCode, Is.Zero, error);
        var expected = JsonNode.Parse(output)!["spec"]!.AsArray();
        var actual = YamlJson.Convert(YamlLoader.Load(text).Single().RootNode)!["spec"]!.AsArray();
        Assert.That(
            Scalars.Zip(actual, (scalar, value) => $"{scalar} is {Show(value)}"),
            Is.EqualTo(Scalars.Zip(expected, (scalar, value) => $"{scalar} is {Show(value)}"))
        );

        static string Item(string scalar) => $"- {scalar}\n";
    }

    /// <summary>kubectl writes large integers as floating-point numbers.</summary>
    private static string Show(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.Number
            ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture)
            : value?.ToJsonString() ?? "null";
}
