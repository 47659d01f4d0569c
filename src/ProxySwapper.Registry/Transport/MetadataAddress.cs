using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Addresses where clouds serve metadata and credentials: link-local ones (RFC 3927, RFC 4291 section 2.5.6) and a few single ones. A
/// registry must not direct requests there.
/// </summary>
internal static class MetadataAddress
{
    /// <summary>
    /// The clouds' own services at addresses that are not link-local: from the clouds' manuals, those of Google and Oracle from software
    /// that calls them.
    /// </summary>
    private static readonly IPAddress[] CloudServices =
    [
        // EC2's instance metadata over IPv6; the Pod Identity agent of EKS is its neighbour.
        IPAddress.Parse("fd00:ec2::254"),
        IPAddress.Parse("fd00:ec2::23"),
        // Compute Engine's metadata server on instances that only have IPv6.
        IPAddress.Parse("fd20:ce::254"),
        // Oracle Cloud's instance metadata over IPv6, and of its Classic.
        IPAddress.Parse("fd00:c1::a9fe:a9fe"),
        IPAddress.Parse("192.0.0.192"),
        // Alibaba Cloud's instance metadata.
        IPAddress.Parse("100.100.100.200"),
        // Azure's platform ("What is IP address 168.63.129.16?"), which gives the configuration of the machine to its agent.
        IPAddress.Parse("168.63.129.16"),
    ];

    /// <summary>
    /// True for <c>169.254.0.0/16</c>, <c>fe80::/10</c> and the services of clouds; also for IPv4 addresses embedded in IPv6
    /// (mapped, compatible, translated of RFC 2765, NAT64 of RFC 6052, 6to4 of RFC 3056), and with a trailing dot.
    /// </summary>
    public static bool IsMatch(Uri address) => IPAddress.TryParse(address.DnsSafeHost.TrimEnd('.'), out var ip) && IsMatch(ip);

    /// <inheritdoc cref="IsMatch(Uri)"/>
    public static bool IsMatch(IPAddress ip)
    {
        if (ip.AddressFamily == AddressFamily.InterNetwork)
            return IsMatch(ip.GetAddressBytes());
        var bytes = ip.GetAddressBytes();
        // Without a scope, by which addresses are unequal.
        if (ip.IsIPv6LinkLocal || CloudServices.Contains(new IPAddress(bytes)))
            return true;
        return bytes switch
        {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..] or [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => IsMatch(bytes[12..]),
            [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, ..] or [0, 0x64, 0xff, 0x9b, ..] => IsMatch(bytes[12..]),
            [0x20, 0x02, ..] => IsMatch(bytes[2..6]),
            _ => false,
        };
    }

    private static bool IsMatch(byte[] ipv4) => ipv4 is [169, 254, ..] || CloudServices.Contains(new IPAddress(ipv4));
}

/// <summary>A host that only has addresses of cloud metadata.</summary>
internal sealed class MetadataAddressException(string message) : IOException(message);
