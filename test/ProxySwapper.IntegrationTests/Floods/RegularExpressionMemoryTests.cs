using System.Globalization;
using ProxySwapper.Testing.Processes;
using ProxySwapper.Testing.Time;

namespace ProxySwapper.IntegrationTests.Floods;

/// <summary>As many regular expressions as are accepted fit into memory, twice: beside those in use, a reload compiles others.</summary>
[TestFixture, NonParallelizable]
internal sealed class RegularExpressionMemoryTests
{
    private const int Rules = 200;
    private const int Automata = 20;
    private const int Reloads = 4;

    /// <param name="expression">One of the expressions that backtracking matches in few steps.</param>
    [TestCase(@"{0}\.example\.com/([a-z]+)/(.*)")]
    [TestCase(@"{0}\.example\.com/[ab]+/[^/]+/[0-9]{{1,3}}/[^:@]+(:[^:@]+)(@.*)?")]
    [TestCase(@"{0}\.example\.com/x..........................................................(b)?(c)?(d)?(e)?(f)?")]
    public async Task The_largest_configurations_are_reloaded(string expression)
    {
        await using var webhook = await FloodedWebhook.StartAsync(Configuration('a', expression));
        for (var reload = 1; reload <= Reloads; reload++)
        {
            var configuration = Configuration((char)('a' + reload), expression);
            var changed = Path.Combine(webhook.Folder, "changed.yaml");
            await File.WriteAllTextAsync(changed, webhook.Complete(configuration));
            File.Move(changed, webhook.ConfigurationFile, overwrite: true);
            var done = $$"""proxyswapper_config_reloads_total{result="success"} {{reload}}""";
            await TestWait.UntilAsync(
                async () =>
                    webhook.Log.Contains("Rejected", StringComparison.Ordinal)
                        ? throw new InvalidOperationException(webhook.Log)
                        : (await webhook.Management.GetStringAsync("/metrics")).Contains(done, StringComparison.Ordinal),
                "reload of the configuration"
            );
        }
    }

    /// <summary>One after the other: the patterns of all images together would take more than a GiB.</summary>
    [Test]
    public async Task Thousands_of_patterns_for_tags_of_one_destination_are_compared()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var images = Enumerable.Range(0, 1000).Select(index => $"  p{index}: {Image(index, $"'p{index:0000}[0-9]+.*x{{1,3}}'")}\n");
        await File.WriteAllTextAsync(file, $"images:\n  listed: {Image(1000, "zz, p, p0000")}\n{string.Concat(images)}");
        try
        {
            var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["validate", file], ("DOTNET_GCHeapHardLimit", "8000000"));
            Assert.That((exitCode, error), Is.EqualTo((0, "")), output);
        }
        finally
        {
            File.Delete(file);
        }

        static string Image(int number, string tags) =>
            $"{{source: quay.io/a/a{number}, destination: r.example/x, mode: all, tags: {{allow: [{tags}]}}}}";
    }

    /// <summary>Many ways to begin, each with many places where the registry may end.</summary>
    [Test]
    public async Task Expressions_of_very_many_registries_are_rejected()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var rules = Enumerable
            .Range(0, 200)
            .Select(index =>
                $"  - {{matchRegex: '(a|b)(a|b)(a|b){index}{new string('.', 1000)}/(.*)', replace: 'r.example/m{index}/$4'}}\n"
            );
        await File.WriteAllTextAsync(file, $"rules:\n{string.Concat(rules)}");
        try
        {
            var (exitCode, output, error) = await ProxySwapperProgram.RunAsync(["validate", file], ("DOTNET_GCHeapHardLimit", "8000000"));
            Assert.That(exitCode, Is.EqualTo(2), output + error);
            Assert.That(
                output + error,
                Does.Contain("matchRegex may match images of more than one registry").And.Not.Contain("internal error")
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Configuration(char name, string expression)
    {
        var automata = Enumerable
            .Range(0, Automata)
            .Select(index => Rule(index, $@"{name}{index}\.example\.com/team{index}/(.+)/x{name}y[^q]*(z{index}.*)"));
        var others = Enumerable
            .Range(Automata, Rules - Automata)
            .Select(index => Rule(index, string.Format(CultureInfo.InvariantCulture, expression, $"{name}{index}")));
        return $"rules:\n{string.Concat(automata)}{string.Concat(others)}";

        string Rule(int index, string text) =>
            $"  - matchRegex: '{text}'\n    replace: r.example/{name}{index}/$1/$2\n    allowSharedTarget: true\n";
    }
}
