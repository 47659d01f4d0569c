using System.CommandLine;
using ProxySwapper.Commands;

var root = new RootCommand("Puts a cluster behind its own registry without anybody changing a manifest.")
{
    RewriteCommand.Create(),
    MirrorCommand.Create(),
};
var command = root.Parse(args);
// A command that is stopped finishes or abandons what it does, and says so, before the process ends.
var exitCode = await command.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
return command.Errors.Count > 0 ? ConfigurationFaults.ExitCode : exitCode;
