using System.Net.Sockets;
using ProxySwapper.Registry.Copying;
using ProxySwapper.Registry.Credentials;
using ProxySwapper.Registry.Transport;

namespace ProxySwapper.Registries;

/// <summary>Distinguishes failures of registries and the network from bugs.</summary>
internal static class RegistryFailures
{
    /// <summary>True if a registry, a credential source, an image or the network may cause it; anything else is a bug.</summary>
    public static bool IsExpected(Exception fault) =>
        fault
            is RegistryException
                or RegistryCredentialException
                or CopyException
                or HttpRequestException
                or IOException
                or SocketException
                or TimeoutException
                or FormatException;

    /// <summary>The message for the report of an image; a bug is marked as one.</summary>
    public static string MessageOf(Exception fault) => IsExpected(fault) ? fault.Message : $"internal error: {fault.Message}";
}
