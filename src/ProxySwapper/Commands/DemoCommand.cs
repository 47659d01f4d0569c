using System.CommandLine;
using ProxySwapper.Commands.Options;
using ProxySwapper.Commands.Output;
using ProxySwapper.Configuration;
using ProxySwapper.Demo;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper demo</c>: shows the webhook and the populator on this machine, without any setup.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand(
            "demo",
            "Sends sample Pods through the webhook over TLS, shows their new images, copies an image between "
                + "two registries in memory, and lets Pods wait for their images. Needs no cluster and no network.",
            "proxyswapper demo",
            "NO_COLOR=1 proxyswapper demo > demo.txt"
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
