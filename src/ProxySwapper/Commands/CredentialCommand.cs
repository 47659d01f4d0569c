using System.CommandLine;
using ProxySwapper.Commands.Options;

namespace ProxySwapper.Commands;

/// <summary><c>proxyswapper credential</c>: registry credentials for programs that support Docker's credential helpers.</summary>
internal static class CredentialCommand
{
    public const string Name = "credential";

    public static Command Create()
    {
        var command = new ExampleCommand(
            Name,
            "Provides registry credentials to other programs. A link to this program named "
                + $"{CredentialVerbCommands.HelperName} is a credential helper for Docker, skopeo and Podman.",
            "echo registry.example.com | proxyswapper credential get --config config.yaml",
            $"ln -s /usr/local/bin/proxyswapper /usr/local/bin/{CredentialVerbCommands.HelperName}"
        )
        {
            CredentialServeCommand.Create(),
        };
        foreach (var verb in CredentialVerbCommands.Create())
            command.Add(verb);
        return command;
    }
}
