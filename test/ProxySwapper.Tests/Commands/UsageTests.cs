using ProxySwapper.Commands;
using ProxySwapper.Commands.Options;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands;

/// <summary>Options that contradict each other are rejected before anything is done.</summary>
[TestFixture]
internal sealed class UsageTests
{
    [TestCase("report --no-check --fail-on missing", "--no-check and --fail-on missing cannot be combined")]
    [TestCase("report --fail-on unswapped --fail-on missing --no-check", "--no-check and --fail-on missing cannot be combined")]
    [TestCase("report --no-check --digests", "--no-check and --digests cannot be combined")]
    public void Contradictory_options_are_rejected(string arguments, string error) =>
        Assert.That(CommandTree.Create().Parse(arguments).Errors.Select(found => found.Message), Has.One.StartsWith(error));

    [TestCase("mirror --on-rate-limit foo", "--on-rate-limit must be one of wait, stop, not 'foo'")]
    [TestCase("completion foo", "SHELL must be one of bash, zsh, fish, not 'foo'")]
    [TestCase("report -o Json", "--output must be one of text, json, html, not 'Json'")]
    [TestCase("report --fail-on foo", "--fail-on must be one of missing, unswapped, not 'foo'")]
    [TestCase("rewrite nginx -o yaml", "--output must be one of text, json, not 'yaml'")]
    [TestCase("policy --api-version v2", "--api-version must be one of v1, v1beta1, v1alpha1, not 'v2'")]
    [TestCase("validate --kind foo x.yaml", "--kind must be one of auto, config, mirror, values, not 'foo'")]
    [TestCase("convert --from foo x", "--from must be one of auto, k8s-image-swapper, kube-image-keeper, regsync, skopeo-sync, not 'foo'")]
    public void A_value_that_is_not_allowed_is_rejected_in_one_line(string arguments, string error) =>
        Assert.That(CommandTree.Create().Parse(arguments).Errors.Select(found => found.Message), Is.EqualTo([error]));

    [TestCase("copy", "missing arguments SOURCE, TARGET; usage: proxyswapper copy SOURCE TARGET [options]")]
    [TestCase("copy nginx", "missing argument TARGET; usage: proxyswapper copy SOURCE TARGET [options]")]
    [TestCase("validate", "missing argument FILE; usage: proxyswapper validate FILE... [options]")]
    [TestCase("copy a b c --nope", "unknown argument 'c'\nunknown option '--nope'")]
    [TestCase("copy a b --copy-timeout", "missing value of --copy-timeout; usage: --copy-timeout duration")]
    [TestCase("backfill --only x", "missing value of --only; usage: --only missing-after REGISTRY")]
    [TestCase("convert x --from", "missing value of --from")]
    [TestCase("credential serve", "--config is required")]
    [TestCase("mirror --config-file a --config-file b", "--config-file can only be given once")]
    [TestCase("status ftp://x", "URL must be an http or https URL without user and password, such as http://localhost:9090")]
    [TestCase("status http://me:secret@x", "URL must be an http or https URL without user and password, such as http://localhost:9090")]
    [TestCase(
        "check --management http://me:secret@x",
        "--management must be an http or https URL without user and password, such as http://localhost:9090"
    )]
    [TestCase("status http://x http://me:secret@y", "unknown argument 'http://***@y'")]
    [TestCase("check http://me:secret@y", "unknown argument 'http://***@y'")]
    [TestCase("check --frobnicate=secret", "unknown option '--frobnicate'")]
    [TestCase("check x --frobnicate secret", "unknown argument 'x'\nunknown option '--frobnicate'")]
    [TestCase("status --token secret http://x", "unknown option '--token'")]
    [TestCase("copy a --password Secret! b", "unknown option '--password'")]
    [TestCase("copy a b -- --c", "unknown argument '--c'")]
    [TestCase("copy me:secret@y/x a", "invalid image '***@y/x': a digest is sha256, sha384 or sha512 with all its lower-case hex digits")]
    [TestCase("mirror --shard http://me:secret@y", "--shard must be I/N with I from 0 to N-1, not 'http://***@y'")]
    public void A_mistake_is_told_in_the_words_of_the_program(string arguments, string error) =>
        Assert.That(string.Join('\n', UsageErrors.MessagesOf(CommandTree.Create().Parse(arguments))), Is.EqualTo(error));

    [TestCase("missing")]
    [TestCase("self.rsp")]
    [TestCase("folder")]
    public void A_word_with_an_at_sign_is_not_read_as_a_file(string name)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.PathOf("folder"));
        var file = $"@{folder.PathOf(name)}";
        folder.Write("self.rsp", $"@{folder.PathOf("self.rsp")}\n--help");
        Assert.That(UsageErrors.MessagesOf(CommandTree.Parse(["version", file])), Is.EqualTo([$"unknown argument '{file}'"]));
        Assert.That(CommandTree.Parse(["rewrite", file]).GetValue<string[]>("IMAGE"), Is.EqualTo([file]));
    }

    [Test]
    public void Each_of_many_unknown_words_is_reported_without_comparing_it_with_all_errors()
    {
        var words = Enumerable.Range(0, 20_000).Select(number => $"{number}").ToArray();
        var parsed = CommandTree.Parse(["version", .. words]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(UsageErrors.MessagesOf(parsed), Is.EqualTo(words.Select(word => $"unknown argument '{word}'")));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000_000));
    }

    [TestCase("report --no-check")]
    [TestCase("report --no-check --fail-on unswapped")]
    [TestCase("report --no-check=false --digests --fail-on missing")]
    public void Valid_command_lines_have_no_errors(string arguments) => Assert.That(CommandTree.Create().Parse(arguments).Errors, Is.Empty);
}
