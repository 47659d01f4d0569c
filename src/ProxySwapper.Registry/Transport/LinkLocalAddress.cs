using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Link-local addresses (RFC 3927, RFC 4291 section 2.5.6), where clouds serve metadata and credentials: a registry must not direct
/// requests there.
/// </summary>
internal static class LinkLocalAddress
{
    /// <summary>EC2's metadata service over IPv6, which is a unique local address.</summary>
    private static readonly IPAddress Ec2Metadata = IPAddress.Parse("fd00:ec2::254");

    /// <summary>
    /// True for <c>169.254.0.0/16</c>, <c>fe80::/10</c> and <c>fd00:ec2::254</c>; also for IPv4 addresses embedded in IPv6
    /// (mapped, compatible, NAT64 of RFC 6052, 6to4 of RFC 3056), and with a trailing dot.
    /// </summary>
    public static bool IsMatch(Uri address) => IPAddress.TryParse(address.DnsSafeHost.TrimEnd('.'), out var ip) && IsMatch(ip);

    /// <inheritdoc cref="IsMatch(Uri)"/>
    public static bool IsMatch(IPAddress ip)
    {
        if (ip.AddressFamily == AddressFamily.InterNetwork)
            return IsLinkLocal(ip.GetAddressBytes());
        if (ip.IsIPv6LinkLocal || ip.Equals(Ec2Metadata))
            return true;
        var bytes = ip.GetAddressBytes();
        return bytes switch
        {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..] or [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => IsLinkLocal(bytes[12..]),
            [0, 0x64, 0xff, 0x9b, ..] => IsLinkLocal(bytes[12..]),
            [0x20, 0x02, ..] => IsLinkLocal(bytes[2..6]),
            _ => false,
        };
    }

    private static bool IsLinkLocal(byte[] ipv4) => ipv4 is [169, 254, ..];
}

/// <summary>A host that only has link-local addresses.</summary>
internal sealed class LinkLocalAddressException(string message) : IOException(message);
