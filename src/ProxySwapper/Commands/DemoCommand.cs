using System.CommandLine;
using ProxySwapper.Configuration;
using ProxySwapper.Demo;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper demo</c>: the main job on this machine alone, with nothing to set up.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var command = new Command(
            "demo",
            "Shows the main job: sample Pods through the webhook over TLS, what becomes of "
                + "their images, one that is copied from a registry to another, and Pods that wait for theirs."
        );
        command.SetAction(
            async (_, cancellationToken) =>
            {
                var options = new ProxySwapperOptions
                {
                    ProxyUrl = "registry.internal.example.com",
                    Port = 0,
                    ManagementPort = 0,
                    DrainDelay = TimeSpan.Zero,
                    Populate = new PopulateOptions { Policy = PopulatePolicy.None },
                };
                var console = ProgramConsole.Create();
                return
                    await new SwapDemo(console, options).RunAsync(cancellationToken)
                    && await new PopulateDemo(console, options).RunAsync(cancellationToken)
                    && await new GateDemo(console, options).RunAsync(cancellationToken)
                    ? 0
                    : 1;
            }
        );
        return command;
    }
}
