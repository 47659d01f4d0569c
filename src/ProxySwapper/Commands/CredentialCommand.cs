using System.CommandLine;

namespace ProxySwapper.Commands;

/// <summary>
/// <c>proxyswapper credential</c>: credentials of registries, for programs that ask as they ask Docker's credential helpers.
/// </summary>
internal static class CredentialCommand
{
    public const string Name = "credential";

    public static Command Create()
    {
        var command = new Command(
            Name,
            "Gives registries' credentials to other programs. A link to this program named "
                + $"{CredentialVerbCommands.HelperName} is a credential helper for Docker, skopeo and Podman."
        )
        {
            CredentialServeCommand.Create(),
        };
        foreach (var verb in CredentialVerbCommands.Create())
            command.Add(verb);
        return command;
    }
}
