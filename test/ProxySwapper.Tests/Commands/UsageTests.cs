using ProxySwapper.Commands;

namespace ProxySwapper.Tests.Commands;

/// <summary>Options that contradict each other are refused before anything is done.</summary>
[TestFixture]
internal sealed class UsageTests
{
    [TestCase("report --no-check --fail-on missing", "--no-check and --fail-on missing cannot be combined")]
    [TestCase("report --fail-on unswapped --fail-on missing --no-check", "--no-check and --fail-on missing cannot be combined")]
    [TestCase("report --no-check --digests", "--no-check and --digests cannot be combined")]
    public void Contradictory_options_are_refused(string arguments, string error) =>
        Assert.That(CommandTree.Create().Parse(arguments).Errors.Select(found => found.Message), Has.One.StartsWith(error));

    [TestCase("report --no-check")]
    [TestCase("report --no-check --fail-on unswapped")]
    [TestCase("report --no-check=false --digests --fail-on missing")]
    public void Valid_command_lines_have_no_errors(string arguments) => Assert.That(CommandTree.Create().Parse(arguments).Errors, Is.Empty);
}
