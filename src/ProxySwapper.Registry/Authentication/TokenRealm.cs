using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Authentication;

/// <summary>Which token servers are trusted with a credential.</summary>
internal static class TokenRealm
{
    /// <summary>
    /// The address of a challenge's realm; null where it must not be asked: it has to be https, or on the registry's own host where
    /// that itself is reached by plain HTTP, and no link-local address, since clouds keep their metadata there.
    /// </summary>
    public static Uri? Trusted(string? realm, Uri registry)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.UserInfo.Length > 0) return null;
        var isPlain = address.Scheme == Uri.UriSchemeHttp && registry.Scheme == Uri.UriSchemeHttp
            && address.Host.Equals(registry.Host, StringComparison.OrdinalIgnoreCase);
        return (isPlain || address.Scheme == Uri.UriSchemeHttps) && !IsLinkLocal(address) ? address : null;
    }

    /// <summary>True for <c>169.254.0.0/16</c> and <c>fe80::/10</c>, also as an IPv4 address within an IPv6 one.</summary>
    public static bool IsLinkLocal(Uri address)
    {
        if (!IPAddress.TryParse(address.DnsSafeHost, out var ip)) return false;
        if (ip.IsIPv4MappedToIPv6) ip = ip.MapToIPv4();
        return ip.AddressFamily == AddressFamily.InterNetwork ? ip.GetAddressBytes() is [169, 254, ..] : ip.IsIPv6LinkLocal;
    }
}
