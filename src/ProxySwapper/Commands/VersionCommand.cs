using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper version</c>.</summary>
internal static class VersionCommand
{
    public static Command Create()
    {
        var command = new Command("version", "Prints the version, the commit that it was built from, and the platform.");
        command.SetAction(_ =>
        {
            var (version, commit) = Read();
            Console.WriteLine($"proxyswapper {version} (commit {commit}, {RuntimeInformation.RuntimeIdentifier})");
            return 0;
        });
        return command;
    }

    /// <summary>What the build put into the assembly: <c>1.2.3+COMMIT</c>.</summary>
    private static (string Version, string Commit) Read()
    {
        var text = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        return text.Split('+', 2) is [var version, var commit] ? (version, commit) : (text, "unknown");
    }
}
