using ProxySwapper.Commands;
using ProxySwapper.Commands.Options;

PasswordFreeProxy.Use();
return await CommandTree.RunAsync(InvocationName.Read() == CredentialVerbCommands.HelperName ? [CredentialCommand.Name, .. args] : args);
