using ProxySwapper.Commands;

return await CommandTree.RunAsync(InvocationName.Read() == CredentialVerbCommands.HelperName ? [CredentialCommand.Name, .. args] : args);
