using System.CommandLine;
using System.Runtime.InteropServices;
using ProxySwapper.Commands.Options;
using ProxySwapper.Management;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand(
            "version",
            "Prints the version, the commit it was built from, and the platform.",
            "proxyswapper version",
            "docker run --rm registry.example.com/proxyswapper:0.1.0 version"
        );
        command.SetAction(_ =>
        {
            var (version, commit) = ProgramVersion.Read();
            Console.WriteLine($"proxyswapper {version} (commit {commit}, {RuntimeInformation.RuntimeIdentifier})");
            return 0;
        });
        return command;
    }
}
