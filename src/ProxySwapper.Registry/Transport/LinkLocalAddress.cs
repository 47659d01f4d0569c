using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Addresses of the link (RFC 3927, RFC 4291 section 2.5.6), where clouds keep the metadata of a machine: nothing of ours goes there.
/// </summary>
internal static class LinkLocalAddress
{
    /// <summary>True for <c>169.254.0.0/16</c> and <c>fe80::/10</c>, also as an IPv4 address within an IPv6 one.</summary>
    public static bool IsMatch(Uri address)
    {
        if (!IPAddress.TryParse(address.DnsSafeHost, out var ip))
            return false;
        if (ip.IsIPv4MappedToIPv6)
            ip = ip.MapToIPv4();
        return ip.AddressFamily == AddressFamily.InterNetwork ? ip.GetAddressBytes() is [169, 254, ..] : ip.IsIPv6LinkLocal;
    }
}
