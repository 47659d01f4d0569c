using System.CommandLine;
using System.CommandLine.Parsing;
using ProxySwapper.Commands.Output;
using ProxySwapper.Registry;

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
                    [['-', ..] option, ..] => UnknownOption(option),
                    [var name, ..] => $"unknown command '{name}'; {ValidCommands(subcommands)}",
                    _ => $"a command is required; {ValidCommands(subcommands)}",
                }
            );
        foreach (var message in MessagesOf(command).Distinct(StringComparer.Ordinal))
            Console.Error.WriteLine(message);
        return Fail(command);
    }

    /// <summary>The errors of a command line, those of the parser in our words. None repeats a password.</summary>
    public static IEnumerable<string> MessagesOf(ParseResult command) => FaultsOf(command).Select(UserInfo.Hide);

    /// <summary>An option that no command has. Its value is not repeated, since it may be a password.</summary>
    public static string UnknownOption(string token) => $"unknown option '{token.Split('=', 2)[0]}'";

    private static IEnumerable<string> FaultsOf(ParseResult command)
    {
        var missing = command.Errors.Select(error => error.SymbolResult).OfType<ArgumentResult>().Where(IsMissing).ToList();
        if (missing.Count > 0)
            yield return $"missing {(missing.Count == 1 ? "argument" : "arguments")} "
                + $"{string.Join(", ", missing.Select(result => result.Argument.Name))}; usage: {UsageOf(command.CommandResult)}";
        // What follows an unknown option may be its value, '--password secret', whether the parser takes it for an argument or not.
        var (arguments, options) = (ArgumentsOf(command), OptionsOf(command));
        var certain = arguments.TakeWhile(argument => !options.Contains(argument)).ToList();
        var unmatched = command.UnmatchedTokens.ToHashSet(StringComparer.Ordinal);
        foreach (var argument in certain.Where(argument => unmatched.Contains(argument.Value)))
            yield return $"unknown argument '{argument.Value}'";
        foreach (var option in arguments.Where(options.Contains))
            yield return UnknownOption(option.Value);
        var known = certain.ToHashSet();
        foreach (var error in command.Errors)
            if (
                !IsMissing(error.SymbolResult)
                && (error.SymbolResult is not ArgumentResult argument || argument.Tokens.All(known.Contains))
                && !IsAboutOne(unmatched, error)
            )
                yield return error.SymbolResult is OptionResult option ? FaultOf(option) ?? error.Message : error.Message;
    }

    /// <summary>Prints a mistake that the parser cannot see.</summary>
    public static int Report(ParseResult command, string message)
    {
        Console.Error.WriteLine(UserInfo.Hide(message));
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

    /// <summary>In order, what the parser takes for arguments of the command, or for nothing that it knows.</summary>
    private static List<Token> ArgumentsOf(ParseResult command)
    {
        var values = command
            .CommandResult.Children.OfType<OptionResult>()
            .SelectMany(option => option.Tokens)
            .ToHashSet<Token>(ReferenceEqualityComparer.Instance);
        return [.. command.Tokens.Where(token => token.Type == TokenType.Argument && !values.Contains(token))];
    }

    /// <summary>Words with the form of an option, which are unknown ones where the parser takes them for arguments.</summary>
    private static HashSet<Token> OptionsOf(ParseResult command) =>
        command
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Where(token => token.Value is ['-', _, ..])
            .ToHashSet<Token>(ReferenceEqualityComparer.Instance);

    private static bool IsMissing(SymbolResult? result) =>
        result is ArgumentResult { Tokens.Count: 0, Argument.Arity.MinimumNumberOfValues: > 0 };

    /// <summary>Whether an error is the parser's own about one of the words, which it quotes.</summary>
    private static bool IsAboutOne(HashSet<string> unmatched, ParseError error) =>
        error is { SymbolResult: CommandResult, Message: var text }
        && text.IndexOf('\'') is >= 0 and var start
        && text.LastIndexOf('\'') is var end
        && end > start
        && unmatched.Contains(text[(start + 1)..end]);

    /// <summary>Why an option has the wrong number of values; null if it does not.</summary>
    private static string? FaultOf(OptionResult result)
    {
        var (option, arity) = (result.Option, result.Option.Arity);
        return result switch
        {
            { Option.Required: true, IdentifierTokenCount: 0 } => $"{option.Name} is required",
            { Tokens.Count: var count } when count < arity.MinimumNumberOfValues => $"missing value of {option.Name}"
                + (option.HelpName is { } value ? $"; usage: {option.Name} {value}" : ""),
            { Tokens.Count: var count } when count > arity.MaximumNumberOfValues => $"{option.Name} can only be given once",
            _ => null,
        };
    }

    /// <summary>How a command is written: <c>proxyswapper copy SOURCE TARGET [options]</c>.</summary>
    private static string UsageOf(CommandResult command) =>
        string.Join(
            ' ',
            [
                InvocationName.Typed,
                PathOf(command),
                .. command.Command.Arguments.Select(argument =>
                    argument.Arity.MaximumNumberOfValues > 1 ? $"{argument.Name}..." : argument.Name
                ),
                "[options]",
            ]
        );

    private static string ValidCommands(IEnumerable<Command> commands) =>
        $"valid commands are {string.Join(", ", commands.Where(command => !command.Hidden).Select(command => command.Name))}";

    private static int Fail(ParseResult command)
    {
        Console.Error.WriteLine($"try '{$"{InvocationName.Typed} {PathOf(command.CommandResult)}".TrimEnd()} --help'");
        return ConfigurationFaults.ExitCode;
    }
}
