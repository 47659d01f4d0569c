using System.CommandLine;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper credential</c>: credentials of registries, for programs that ask as they ask Docker's credential helpers.</summary>
internal static class CredentialCommand
{
    public static Command Create() => new("credential", "Gives registries' credentials to other programs.") { CredentialServeCommand.Create() };
}
