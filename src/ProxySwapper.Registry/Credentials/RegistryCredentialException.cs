namespace ProxySwapper.Registry.Credentials;

/// <summary>A credential source that is the one for a registry failed. The message names the source and never holds a secret.</summary>
public sealed class RegistryCredentialException(string message, Exception? innerException = null) : Exception(message, innerException);
