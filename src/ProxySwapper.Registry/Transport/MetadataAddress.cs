using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry.Transport;

/// <summary>
/// Addresses where clouds serve metadata and credentials. A registry must not direct requests there. The chart's NetworkPolicy excepts the
/// same.
/// </summary>
internal static class MetadataAddress
{
    /// <summary>
    /// Link-local addresses (RFC 3927, RFC 4291 section 2.5.6) and the clouds' own: from the clouds' manuals, those of Google, Oracle,
    /// Scaleway and Alibaba (IPv6) from software that calls them, such as cloud-init.
    /// </summary>
    public static IReadOnlyList<IPNetwork> Networks { get; } =
    [
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("fe80::/10"),
        // EC2's instance metadata over IPv6, and the Pod Identity agent of EKS.
        IPNetwork.Parse("fd00:ec2::/32"),
        // Compute Engine's metadata server on instances that only have IPv6.
        IPNetwork.Parse("fd20:ce::254/128"),
        // Oracle Cloud's instance metadata over IPv6, and of its Classic.
        IPNetwork.Parse("fd00:c1::a9fe:a9fe/128"),
        IPNetwork.Parse("192.0.0.192/32"),
        // Alibaba Cloud's instance metadata.
        IPNetwork.Parse("100.100.100.200/32"),
        IPNetwork.Parse("fd00:100::100:200/128"),
        // Azure's platform ("What is IP address 168.63.129.16?"), which gives the configuration of the machine to its agent.
        IPNetwork.Parse("168.63.129.16/32"),
        // Scaleway's instance metadata over IPv6.
        IPNetwork.Parse("fd00:42::42/128"),
        // Akamai's (Linode's) metadata service over IPv6 ("Use the Metadata service API").
        IPNetwork.Parse("fd00:a9fe:a9fe::1/128"),
    ];

    /// <summary>
    /// True for <see cref="Networks"/>; also for IPv4 addresses embedded in IPv6
    /// (mapped, compatible, translated of RFC 2765, NAT64 of RFC 6052, 6to4 of RFC 3056), and with a trailing dot.
    /// </summary>
    public static bool IsMatch(Uri address) => IPAddress.TryParse(address.DnsSafeHost.TrimEnd('.'), out var ip) && IsMatch(ip);

    /// <inheritdoc cref="IsMatch(Uri)"/>
    public static bool IsMatch(IPAddress ip)
    {
        var bytes = ip.GetAddressBytes();
        // Without a scope, which is not part of the address.
        var plain = new IPAddress(bytes);
        return Networks.Any(network => network.Contains(plain)) || ip.AddressFamily == AddressFamily.InterNetworkV6 && IsEmbedded(bytes);
    }

    private static bool IsEmbedded(byte[] bytes) =>
        bytes switch
        {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..] or [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => IsMatch(
                new IPAddress(bytes[12..])
            ),
            [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, ..] or [0, 0x64, 0xff, 0x9b, ..] => IsMatch(new IPAddress(bytes[12..])),
            [0x20, 0x02, ..] => IsMatch(new IPAddress(bytes[2..6])),
            _ => false,
        };
}

/// <summary>A host that only has addresses of cloud metadata.</summary>
internal sealed class MetadataAddressException(string message) : IOException(message);
