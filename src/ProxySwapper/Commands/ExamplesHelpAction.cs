using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ProxySwapper.Commands;

/// <summary>Prints a command's help, followed by its examples and a link to the manual.</summary>
internal sealed class ExamplesHelpAction(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not ExampleCommand command)
            return exitCode;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in command.Examples)
            output.WriteLine($"  {example}");
        output.WriteLine();
        output.WriteLine($"More: docs/commands.md#{UsageErrors.PathOf(parseResult.CommandResult).Split(' ')[0]}");
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
