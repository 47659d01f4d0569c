using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ProxySwapper.Commands.Options;

/// <summary>Prints a command's help, followed by its examples and a link to the manual.</summary>
/// <param name="help">Prints what the parser knows.</param>
/// <param name="rootExamples">The examples of the program itself.</param>
internal sealed class ExamplesHelpAction(HelpAction help, IReadOnlyList<string> rootExamples) : SynchronousCommandLineAction
{
    /// <summary>How examples are written.</summary>
    private const string Program = "proxyswapper ";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var usage = new StringWriter { NewLine = output.NewLine };
        parseResult.InvocationConfiguration.Output = usage;
        var exitCode = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(usage.ToString().Replace($"  {RootCommand.ExecutableName}", $"  {InvocationName.Typed}", StringComparison.Ordinal));
        var examples = parseResult.CommandResult.Command is ExampleCommand command ? command.Examples : rootExamples;
        output.WriteLine("Examples:");
        foreach (var example in examples)
            output.WriteLine($"  {example.Replace(Program, $"{InvocationName.Typed} ", StringComparison.Ordinal)}");
        output.WriteLine();
        var anchor = UsageErrors.PathOf(parseResult.CommandResult).Split(' ')[0];
        output.WriteLine($"More: {ManualLink.To(anchor.Length > 0 ? $"commands.md#{anchor}" : "README.md")}");
        return exitCode;
    }
}

/// <summary>A command whose help shows examples.</summary>
/// <param name="name">The command's name.</param>
/// <param name="description">What it does.</param>
/// <param name="examples">Complete command lines.</param>
internal sealed class ExampleCommand(string name, string description, params IReadOnlyList<string> examples) : Command(name, description)
{
    /// <summary>Shown by <c>--help</c>.</summary>
    public IReadOnlyList<string> Examples => examples;
}
