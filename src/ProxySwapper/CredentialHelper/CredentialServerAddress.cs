using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.CredentialHelper;

/// <summary>
/// What a credential helper is asked for: a host, or an address with scheme and path, as <c>https://index.docker.io/v1/</c> is Docker
/// Hub's.
/// </summary>
internal static class CredentialServerAddress
{
    /// <summary>
    /// An image of that registry, and of that repository where the address goes on with one; false when it is no registry.
    /// </summary>
    public static bool TryParse(string server, [NotNullWhen(true)] out ImageReference? image)
    {
        var host = RegistryName.HostOfAddress(server, out var path);
        if (path.Length == 0)
            path = "credential";
        // Without a dot or port a reference would take the host for a path of Docker Hub.
        image = null;
        return RegistryName.IsRegistry(host) && ImageReference.TryParse($"{host}/{path}", out image);
    }
}
