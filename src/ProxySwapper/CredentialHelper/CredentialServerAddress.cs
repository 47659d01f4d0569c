using System.Diagnostics.CodeAnalysis;
using ProxySwapper.Registry;

namespace ProxySwapper.CredentialHelper;

/// <summary>
/// The argument of a credential helper: a host, or an address with scheme and path, such as <c>https://index.docker.io/v1/</c> for Docker
/// Hub.
/// </summary>
internal static class CredentialServerAddress
{
    /// <summary>An image of that registry, and of that repository if the address has a path; false if it is not a registry.</summary>
    public static bool TryParse(string server, [NotNullWhen(true)] out ImageReference? image)
    {
        var host = RegistryName.HostOfAddress(server, out var path);
        if (path.Length == 0)
            path = "credential";
        // Without a dot or port, a reference would treat the host as a path on Docker Hub.
        image = null;
        return RegistryName.IsRegistry(host) && ImageReference.TryParse($"{host}/{path}", out image);
    }
}
