using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Commands.Output;

namespace ProxySwapper.Commands.Options;

/// <summary>Reports an invalid command line: one line for each mistake, a pointer to --help, exit code 2.</summary>
internal static class UsageErrors
{
    /// <summary>Prints the parser's errors.</summary>
    public static int Report(ParseResult command)
    {
        if (command.CommandResult.Command is { Action: null, Subcommands: { Count: > 0 } subcommands })
            return Report(
                command,
                command.UnmatchedTokens switch
                {
                    [['-', ..] option, ..] => $"unknown option '{option}'",
                    [var name, ..] => $"unknown command '{name}'; {ValidCommands(subcommands)}",
                    _ => $"a command is required; {ValidCommands(subcommands)}",
                }
            );
        foreach (var message in command.Errors.Select(error => error.Message).Distinct(StringComparer.Ordinal))
            Console.Error.WriteLine(message);
        return Fail(command);
    }

    /// <summary>Prints a mistake that the parser cannot see.</summary>
    public static int Report(ParseResult command, string message)
    {
        Console.Error.WriteLine(message);
        return Fail(command);
    }

    /// <summary>The words of a command, without the program's name: <c>credential serve</c>.</summary>
    public static string PathOf(CommandResult command)
    {
        var names = new List<string>();
        for (SymbolResult? result = command; result is CommandResult one; result = result.Parent)
            if (one.Command is not RootCommand)
                names.Insert(0, one.Command.Name);
        return string.Join(' ', names);
    }

    /// <summary>A flag's value for validators, which run before values are known to be valid.</summary>
    public static bool IsSet(this CommandResult command, Option<bool> flag)
    {
        try
        {
            return command.GetValue(flag);
        }
        catch (InvalidOperationException)
        {
            // '--flag=nonsense' is reported separately.
            return false;
        }
    }

    private static string ValidCommands(IEnumerable<Command> commands) =>
        $"valid commands are {string.Join(", ", commands.Where(command => !command.Hidden).Select(command => command.Name))}";

    private static int Fail(ParseResult command)
    {
        Console.Error.WriteLine($"try '{$"{InvocationName.Typed} {PathOf(command.CommandResult)}".TrimEnd()} --help'");
        return ConfigurationFaults.ExitCode;
    }
}
