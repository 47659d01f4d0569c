using System.CommandLine;
using System.CommandLine.Help;
using ProxySwapper.Commands.Options;
using ProxySwapper.Management;

namespace ProxySwapper.Commands;

/// <summary>All commands of the program.</summary>
internal static class CommandTree
{
    /// <summary>Where to begin.</summary>
    private static readonly string[] Examples = ["proxyswapper demo", "proxyswapper report", "proxyswapper rewrite --help"];

    /// <summary>
    /// A stopped command finishes or abandons its work, and says so, before the process exits. The server's host handles that itself, and
    /// commands that only read have nothing to finish: they end at once, also while they wait for their standard input.
    /// </summary>
    private static readonly HashSet<string> EndsItself =
    [
        ServeCommand.Name,
        "rewrite",
        "policy",
        "report",
        "status",
        "validate",
        "convert",
        "get",
        "list",
        "version",
        "completion",
    ];

    /// <summary>
    /// A word with <c>@</c> is a word: a digest, a wrong image. By default the parser reads a file of that name as further words.
    /// </summary>
    private static readonly ParserConfiguration Words = new() { ResponseFileTokenReplacer = null };

    /// <summary>Parses and runs a command line. No user input makes it throw, nor does an output that cannot be written.</summary>
    /// <returns>The exit code: 2 for an invalid command line or file, 1 for a failure, 0 otherwise.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            return await InvokeAsync(arguments);
        }
        catch (OperationCanceledException)
        {
            return 1;
        }
        catch (Exception fault)
        {
            Report(fault);
            return 1;
        }
    }

    /// <summary>Parses a command line.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments) => Create().Parse(arguments, Words);

    private static async Task<int> InvokeAsync(string[] arguments)
    {
        var command = Parse(arguments);
        if (command.Errors.Count > 0)
            return UsageErrors.Report(command);
        var invocation = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = EndsItself.Contains(command.CommandResult.Command.Name) ? null : TimeSpan.FromSeconds(30),
        };
        return await command.InvokeAsync(invocation);
    }

    /// <summary>Usually a full disk below the standard output; the standard error may be there too.</summary>
    private static void Report(Exception fault)
    {
        try
        {
            Console.Error.WriteLine(
                fault is IOException or UnauthorizedAccessException
                    ? $"cannot write the output: {fault.Message}"
                    : $"internal error: {ExceptionText.Describe(fault)}"
            );
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The exit code remains.
        }
    }

    /// <summary>The root command.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand("Puts a Kubernetes cluster behind its own registry without changing any manifest.")
        {
            ServeCommand.Create(),
            DemoCommand.Create(),
            RewriteCommand.Create(),
            PolicyCommand.Create(),
            ReportCommand.Create(),
            StatusCommand.Create(),
            CheckCommand.Create(),
            BackfillCommand.Create(),
            CopyCommand.Create(),
            MirrorCommand.Create(),
            CredentialCommand.Create(),
            DisableCommand.Create(),
            EnableCommand.Create(),
            ValidateCommand.Create(),
            ConvertCommand.Create(),
            VersionCommand.Create(),
            CompletionCommand.Create(),
            ReleaseCommand.Create(),
        };
        foreach (var option in root.Options.OfType<HelpOption>())
            option.Action = new ExamplesHelpAction((HelpAction)option.Action!, Examples);
        return root;
    }
}
