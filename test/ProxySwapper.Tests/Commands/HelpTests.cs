using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using ProxySwapper.Commands;
using ProxySwapper.Commands.Options;
using ProxySwapper.Testing.Documentation;
using ProxySwapper.Testing.Processes;

namespace ProxySwapper.Tests.Commands;

/// <summary><c>--help</c> of every command: two examples that work, defaults, lower-case choices and a link to the manual.</summary>
[TestFixture]
internal sealed class HelpTests
{
    private const string Program = "proxyswapper";

    private static IEnumerable<string> Paths =>
        AllOf(CommandTree.Create(), Program).Where(path => path != Program && !path.StartsWith($"{Program} [", StringComparison.Ordinal));

    [TestCaseSource(nameof(Paths))]
    public void Two_examples_are_shown_and_parse(string path)
    {
        var examples = CommandOf(path) is ExampleCommand command ? command.Examples : [];
        Assert.That(examples, Has.Count.GreaterThanOrEqualTo(2));
        Assert.That(HelpOf(path), Does.Contain($"Examples:\n{string.Join("", examples.Select(example => $"  {example}\n"))}"));
        foreach (var line in examples.SelectMany(example => example.Split(" | ")).SelectMany(part => part.Split(" && ")))
            if (line.StartsWith($"{path} ", StringComparison.Ordinal) || line == path)
                Assert.That(CommandTree.Create().Parse(line.Split(" > ")[0][Program.Length..]).Errors, Is.Empty, line);
        Assert.That(examples, Has.Some.Contains(path.Split(' ')[1]));
    }

    [TestCaseSource(nameof(Paths))]
    public void Options_have_descriptions_and_defaults(string path)
    {
        foreach (var option in CommandOf(path).Options.Where(option => option is not (HelpOption or VersionOption)))
        {
            Assert.That(option.Description, Is.Not.Null.And.EndsWith("."), option.Name);
            var isFlag = option.Arity.MinimumNumberOfValues == 0 && option.ValueType == typeof(bool);
            if (!isFlag && !option.Required && (!option.HasDefaultValue || option.ValueType.IsArray))
                Assert.That(option.Description, Does.Contain("Default: "), option.Name);
        }
    }

    [TestCaseSource(nameof(Paths))]
    public void Defaults_are_shown_once_and_can_be_typed(string path)
    {
        Assert.That(HelpOf(path).Split('\n'), Has.None.Contains("Default: ").And.Contains("[default: "));
        foreach (var option in CommandOf(path).Options.Where(option => option.HasDefaultValue && !option.ValueType.IsArray))
            Assert.That(
                CommandTree.Create().Parse([.. path.Split(' ')[1..], option.Name, $"{option.GetDefaultValue()}"]).Errors,
                Has.None.Matches<ParseError>(error => error.Message.StartsWith(option.Name, StringComparison.Ordinal))
            );
    }

    [TestCaseSource(nameof(Paths))]
    public void Choices_are_in_lower_case(string path)
    {
        var choices =
            from symbol in CommandOf(path)
                .Options.Where(option => option.ValueType != typeof(bool))
                .Cast<Symbol>()
                .Concat(CommandOf(path).Arguments)
            from choice in symbol.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty)
            select choice.Label;
        Assert.That(choices, Has.All.Matches<string>(choice => !choice.Any(char.IsUpper)));
    }

    [TestCaseSource(nameof(Paths))]
    public void The_manual_is_linked(string path)
    {
        var link = HelpOf(path).TrimEnd().Split('\n')[^1];
        Assert.That(link, Does.StartWith($"More: {OfThisVersion}/docs/commands.md#"));
        var page = ManualPage.All.Single(page => page.Path == Path.Combine("docs", "commands.md"));
        Assert.That(page.Anchors, Does.Contain(link.Split('#')[1]));
    }

    [Test]
    public void The_program_itself_shows_where_to_begin()
    {
        var help = HelpOf(Program);
        var examples = help.Split("Examples:\n")[1].Split('\n').TakeWhile(line => line.Length > 0).Select(line => line.Trim()).ToList();
        Assert.That(examples, Has.Count.GreaterThanOrEqualTo(2));
        foreach (var example in examples)
            Assert.That(CommandTree.Create().Parse(example[Program.Length..]).Errors, Is.Empty, example);
        Assert.That(help.TrimEnd(), Does.EndWith($"\nMore: {OfThisVersion}/docs/README.md"));
        Assert.That(ManualPage.All.Select(page => page.Path), Does.Contain(Path.Combine("docs", "README.md")));
    }

    /// <summary>The chart names the repository, and the release makes a tag of the version.</summary>
    private static string OfThisVersion
    {
        get
        {
            var chart = File.ReadAllLines(SourceTree.PathOf("chart", "Chart.yaml"));
            return $"{ValueOf(chart, "home")}/blob/v{ValueOf(chart, "version")}";
        }
    }

    private static string ValueOf(string[] lines, string key) =>
        lines.Single(line => line.StartsWith($"{key}: ", StringComparison.Ordinal))[(key.Length + 2)..];

    private static IEnumerable<string> AllOf(Command command, string path) =>
        command.Subcommands.Where(child => !child.Hidden).SelectMany(child => AllOf(child, $"{path} {child.Name}")).Prepend(path);

    private static Command CommandOf(string path) =>
        path.Split(' ')
            .Skip(1)
            .Aggregate((Command)CommandTree.Create(), (command, name) => command.Subcommands.Single(child => child.Name == name));

    private static string HelpOf(string path)
    {
        using var output = new StringWriter();
        CommandTree.Create().Parse($"{path[Program.Length..]} --help").Invoke(new InvocationConfiguration { Output = output });
        return output.ToString().ReplaceLineEndings("\n");
    }
}
