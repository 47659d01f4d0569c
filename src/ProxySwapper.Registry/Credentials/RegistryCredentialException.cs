namespace ProxySwapper.Registry.Credentials;

/// <summary>The credential source responsible for a registry failed. The message names the source and never contains a secret.</summary>
public sealed class RegistryCredentialException(string message, Exception? innerException = null) : Exception(message, innerException);
