using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ProxySwapper.Registry;

/// <summary>
/// The name of a registry: its host, with the port unless it is 443. Case does not matter, and Docker Hub, which has several names, is
/// <c>docker.io</c>. Two names are equal when they are the same registry. Images, targets, entries of <c>registries</c>, credentials and
/// the state of hosts all use this type; <c>default</c> is the name of no registry.
/// </summary>
public readonly record struct RegistryName
{
    /// <summary>Docker Hub's name in references, as text.</summary>
    public const string DockerHubText = "docker.io";

    private const string DockerHubApi = "registry-1.docker.io";
    private const string DefaultPort = ":443";
    private const int MaximumLabelLength = 63;
    private const int MaximumNameLength = 253;

    /// <summary>The characters of an IPv6 address.</summary>
    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF:");

    private static readonly string[] Aliases = ["index.docker.io", DockerHubApi, "registry.hub.docker.com"];

    private readonly string? _text;

    private RegistryName(string text) => _text = text;

    /// <summary>Docker Hub.</summary>
    public static RegistryName DockerHub { get; } = new(DockerHubText);

    /// <summary>The large public registries.</summary>
    public static IReadOnlyList<RegistryName> Public { get; } =
    [DockerHub, new("quay.io"), new("ghcr.io"), new("gcr.io"), new("registry.k8s.io"), new("public.ecr.aws"), new("mcr.microsoft.com")];

    /// <summary>The other hosts of Docker Hub, which are normalised to <see cref="DockerHubText"/>.</summary>
    public static IReadOnlyList<string> DockerHubAliases => Aliases;

    /// <summary>The host in lower case with its port, such as <c>docker.io</c>, <c>localhost:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Text => _text ?? "";

    /// <summary>True for Docker Hub under any of its names.</summary>
    public bool IsDockerHub => Text == DockerHubText;

    /// <summary>The host and port of the registry's API: <c>registry-1.docker.io</c> for Docker Hub, else the name itself.</summary>
    public string ApiAuthority => IsDockerHub ? DockerHubApi : Text;

    /// <summary>Parses a host with an optional port.</summary>
    /// <exception cref="FormatException">The text is not a host, or references treat it as a path.</exception>
    public static RegistryName Parse(string text) => TryParse(text, out var name, out var fault) ? name : throw new FormatException(fault);

    /// <summary>Parses a host with an optional port; false for anything else, and for a name that references treat as a path.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RegistryName name) => TryParse(text, out name, out _);

    /// <summary>Parses a host with an optional port; if it is none, <paramref name="fault"/> says so, and why.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RegistryName name, [NotNullWhen(false)] out string? fault)
    {
        fault = text is null || !IsRegistry(text) || !IsHost(text) ? $"'{text}' is not a registry host" : ValidateLimits(text);
        name = fault is null ? new RegistryName(Normalize(text)) : default;
        return fault is null;
    }

    /// <summary>
    /// Why a host that references allow cannot exist: its port, its labels or its length exceed what the network allows; null if it can.
    /// Stars, where it is a pattern, count as nothing.
    /// </summary>
    public static string? ValidateLimits(string host)
    {
        var name = host.AsSpan();
        var isAddress = name.StartsWith('[');
        string? fault = null;
        if (name.LastIndexOf(':') is >= 0 and var colon && colon > name.IndexOf(']'))
        {
            var port = name[(colon + 1)..];
            name = name[..colon];
            var isInRange = ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
            if (!isInRange && !port.Contains('*'))
                fault = "a port is from 1 to 65535";
        }
        if (isAddress && (!IPAddress.TryParse(name.Trim("[]"), out var address) || address.AddressFamily != AddressFamily.InterNetworkV6))
            fault = "an address in brackets is IPv6";
        if (!isAddress && name.Length - name.Count('*') > MaximumNameLength)
            fault = $"a host name is at most {MaximumNameLength} characters long";
        foreach (var range in isAddress ? default : name.Split('.'))
            if (name[range].Length - name[range].Count('*') > MaximumLabelLength)
                fault = $"each part of a host name is at most {MaximumLabelLength} characters long";
        return fault is null ? null : $"'{host}' is not a registry host: {fault}";
    }

    /// <summary>
    /// Parses an address in the format of Docker's configuration and credential helpers: a host with an optional scheme and path, where the
    /// API version counts as an empty path. <c>https://index.docker.io/v1/</c> is Docker Hub.
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="path">The path without leading and trailing slashes, such as a repository or its prefix.</param>
    /// <returns>The host, normalised; unchanged if it is not a registry name (it has stars, or neither dot nor port).</returns>
    public static string HostOfAddress(string address, out string path)
    {
        var rest = address.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? address[(scheme + 3)..] : address;
        var slash = rest.IndexOf('/');
        (var host, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].TrimEnd('/'));
        if (path is "v1" or "v2")
            path = "";
        return Normalize(host);
    }

    /// <summary>True for a first segment that references treat as a registry and not as a path on Docker Hub.</summary>
    public static bool IsRegistry(ReadOnlySpan<char> segment) => segment.ContainsAny('.', ':') || segment is "localhost";

    /// <summary>
    /// The normalised text of a host, or of a pattern of hosts, in which stars may be; other text stays unchanged. A host alone is parsed.
    /// </summary>
    public static string Normalize(ReadOnlySpan<char> host)
    {
        // A host without dot and port is only recognised by its upper-case letters, so it keeps them.
        var text = host.ContainsAnyInRange('A', 'Z') && IsRegistry(host) ? host.ToString().ToLowerInvariant() : host;
        var bare = text.EndsWith(DefaultPort) ? text[..^DefaultPort.Length] : text;
        if (IsRegistry(bare) && !bare.EndsWith(':'))
            text = bare;
        return IsDockerHubHost(text) ? DockerHubText : text.ToString();
    }

    /// <summary>The normalised name.</summary>
    public override string ToString() => Text;

    /// <summary>
    /// Parses the registry of a reference, which may also be a host that only its upper-case letters distinguish from a path.
    /// </summary>
    /// <param name="segment">The first segment; empty if that is a path, so that the registry is Docker Hub.</param>
    /// <param name="name">The name.</param>
    internal static bool TryParseSegment(ReadOnlySpan<char> segment, out RegistryName name)
    {
        name = segment.IsEmpty ? DockerHub : new RegistryName(Normalize(segment));
        if (segment.IsEmpty || IsHost(name.Text))
            return true;
        name = default;
        return false;
    }

    /// <summary>A host name, an IPv4 address or a bracketed IPv6 address, with an optional port.</summary>
    private static bool IsHost(ReadOnlySpan<char> host)
    {
        if (host.StartsWith('['))
        {
            var end = host.IndexOf(']');
            return end > 1 && !host[1..end].ContainsAnyExcept(AddressCharacters) && IsPort(host[(end + 1)..]);
        }
        var colon = host.IndexOf(':');
        var name = colon < 0 ? host : host[..colon];
        if (name.IsEmpty || colon >= 0 && !IsPort(host[colon..]))
            return false;
        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.IsEmpty || label[0] == '-' || label[^1] == '-')
                return false;
            foreach (var character in label)
                if (!char.IsAsciiLetterOrDigit(character) && character != '-')
                    return false;
        }
        return true;
    }

    private static bool IsDockerHubHost(ReadOnlySpan<char> host)
    {
        if (host is DockerHubText)
            return true;
        foreach (var alias in Aliases)
            if (host.SequenceEqual(alias))
                return true;
        return false;
    }

    private static bool IsPort(ReadOnlySpan<char> port) =>
        port.IsEmpty || port is [':', _, ..] && !port[1..].ContainsAnyExceptInRange('0', '9');
}
