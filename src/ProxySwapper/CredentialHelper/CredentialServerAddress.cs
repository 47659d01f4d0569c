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
        var rest = server.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? server[(scheme + 3)..] : server;
        var (host, path) = rest.IndexOf('/') is >= 0 and var slash ? (rest[..slash], rest[(slash + 1)..].TrimEnd('/')) : (rest, "");
        if (host is "registry-1.docker.io" or "registry.hub.docker.com")
            host = "docker.io";
        if (path is "" or "v1" or "v2")
            path = "credential";
        // Without a dot or port a reference would take the host for a path of Docker Hub.
        image = null;
        return (host.AsSpan().ContainsAny('.', ':') || host == "localhost") && ImageReference.TryParse($"{host}/{path}", out image);
    }
}
