using System.Text.RegularExpressions;
using ProxySwapper.Commands;
using ProxySwapper.Testing.Documentation;

namespace ProxySwapper.Tests.Documentation;

/// <summary>Every command line of the program in the manual is valid.</summary>
[TestFixture]
internal sealed partial class ManualCommandTests
{
    private static IEnumerable<TestCaseData> CommandLines =>
        from page in ManualPage.All
        from shown in Shown(page).Distinct()
        select new TestCaseData(shown.Line, shown.IsWhole).SetArgDisplayNames(page.Path, shown.Line);

    [TestCaseSource(nameof(CommandLines))]
    public void Valid_command_lines_are_accepted(string line, bool isWhole)
    {
        var messages = CommandTree.Create().Parse(Words(line)).Errors.Select(error => error.Message);
        // The text may mention a command without arguments.
        Assert.That(messages.Where(message => isWhole || !message.Contains("equired", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Invalid_command_lines_are_detected()
    {
        Assert.That(CommandTree.Create().Parse(Words("report --nonsense")).Errors, Is.Not.Empty);
        Assert.That(CommandLines.Count(), Is.AtLeast(50));
    }

    /// <summary>The commands in fenced blocks, and those in the text without placeholders.</summary>
    private static IEnumerable<(string Line, bool IsWhole)> Shown(ManualPage page)
    {
        var blocks = page
            .Blocks.Where(block => block.Language is "sh" or "console" or "bash")
            .SelectMany(block => block.Text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
            .SelectMany(line => Command.Matches(Comment.Replace(line, "")).Select(match => (match.Groups["line"].Value.Trim(), true)));
        var inline = page
            .InlineCode.Where(code => !Placeholder.IsMatch(code))
            .Select(code => Whole.Match(code))
            .Where(match => match.Success)
            .Select(match => (match.Groups["line"].Value.Trim(), false));
        return blocks.Concat(inline);
    }

    /// <summary>The words of a command line as a shell splits it.</summary>
    private static string[] Words(string line) =>
        [
            .. Word.Matches(line)
                .Select(match => match.Value.Trim('\'', '"'))
                .TakeWhile(word => word is not (">" or ">>" or "&" or "&&" or ";" or "2>")),
        ];

    [GeneratedRegex(@"(?:^|[|(;&]|\$ )\s*(?:\w+=\S+\s+)*(?:kubectl )?proxyswapper (?<line>[a-z-][^|)]*)")]
    private static partial Regex Command { get; }

    [GeneratedRegex(@"^(?:kubectl )?proxyswapper (?<line>[a-z-].*)$")]
    private static partial Regex Whole { get; }

    /// <summary>Upper-case words, dots and brackets are placeholders.</summary>
    [GeneratedRegex(@"…|\[|\b[A-Z]{1,}\b|<")]
    private static partial Regex Placeholder { get; }

    [GeneratedRegex(@"\s+#.*$")]
    private static partial Regex Comment { get; }

    [GeneratedRegex("""'[^']*'|"[^"]*"|\S+""")]
    private static partial Regex Word { get; }
}
