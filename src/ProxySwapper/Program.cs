using ProxySwapper.Commands;
using ProxySwapper.Commands.Options;

return await CommandTree.RunAsync(InvocationName.Read() == CredentialVerbCommands.HelperName ? [CredentialCommand.Name, .. args] : args);
