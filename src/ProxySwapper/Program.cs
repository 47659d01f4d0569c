using System.CommandLine;
using ProxySwapper.Commands;

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
var command = root.Parse(InvocationName.Read() == CredentialVerbCommands.HelperName ? [CredentialCommand.Name, .. args] : args);
var invocation = new InvocationConfiguration
{
    // A command that is stopped finishes or abandons what it does, and says so, before the process ends. The server's host does that
    // itself.
    ProcessTerminationTimeout = command.CommandResult.Command.Name == ServeCommand.Name ? null : TimeSpan.FromSeconds(30),
};
var exitCode = await command.InvokeAsync(invocation);
return command.Errors.Count > 0 ? ConfigurationFaults.ExitCode : exitCode;
