using System.CommandLine;
using System.CommandLine.Help;

namespace ProxySwapper.Commands;

/// <summary>All commands of the program, and how a command line is run.</summary>
internal static class CommandTree
{
    /// <summary>Parses and runs a command line. Nothing that a user can write makes it throw.</summary>
    /// <returns>The exit code: 2 for a wrong command line or an unusable file, 1 for what failed, 0 else.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var command = Create().Parse(arguments);
        if (command.Errors.Count > 0)
            return UsageErrors.Report(command);
        var invocation = new InvocationConfiguration
        {
            // A command that is stopped finishes or abandons what it does, and says so, before the process ends. The server's host does
            // that itself.
            ProcessTerminationTimeout = command.CommandResult.Command.Name == ServeCommand.Name ? null : TimeSpan.FromSeconds(30),
        };
        return await command.InvokeAsync(invocation);
    }

    /// <summary>The root command.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand("Puts a cluster behind its own registry without anybody changing a manifest.")
        {
            ServeCommand.Create(),
            DemoCommand.Create(),
            RewriteCommand.Create(),
            PolicyCommand.Create(),
            ReportCommand.Create(),
            CopyCommand.Create(),
            MirrorCommand.Create(),
            CredentialCommand.Create(),
            DisableCommand.Create(),
            EnableCommand.Create(),
            ValidateCommand.Create(),
            VersionCommand.Create(),
            CompletionCommand.Create(),
            ReleaseCommand.Create(),
        };
        foreach (var option in root.Options.OfType<HelpOption>())
            option.Action = new ExamplesHelpAction((HelpAction)option.Action!);
        return root;
    }
}
