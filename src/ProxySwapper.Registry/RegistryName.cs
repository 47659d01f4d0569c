using System.Diagnostics.CodeAnalysis;

namespace ProxySwapper.Registry;

/// <summary>
/// The name of a registry: its host, with the port unless it is 443. Case does not matter, and Docker Hub, which has several names, is
/// <c>docker.io</c>. Images, rules, entries of <c>registries</c> and credentials all use this type.
/// </summary>
public sealed record RegistryName
{
    /// <summary>Docker Hub's name in references.</summary>
    public const string DockerHub = "docker.io";

    private const string DockerHubApi = "registry-1.docker.io";
    private const string DefaultPort = ":443";

    private RegistryName(string text) => Text = text;

    /// <summary>The host in lower case with its port, such as <c>docker.io</c>, <c>localhost:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Text { get; }

    /// <summary>True for Docker Hub under any of its names.</summary>
    public bool IsDockerHub => Text == DockerHub;

    /// <summary>The host and port of the registry's API: <c>registry-1.docker.io</c> for Docker Hub, else the name itself.</summary>
    public string ApiAuthority => IsDockerHub ? DockerHubApi : Text;

    /// <summary>Parses a host with an optional port; false for anything else, and for a name that references treat as a path.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out RegistryName? name)
    {
        name = text is not null && IsRegistry(text) && IsHost(text) ? new RegistryName(Normalize(text)) : null;
        return name is not null;
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

    /// <summary>The normalised name. Text that is not a host stays unchanged.</summary>
    public static string Normalize(ReadOnlySpan<char> host)
    {
        // A host without dot and port is only recognised by its upper-case letters, so it keeps them.
        var text = host.ContainsAnyInRange('A', 'Z') && IsRegistry(host) ? host.ToString().ToLowerInvariant() : host;
        var bare = text.EndsWith(DefaultPort) ? text[..^DefaultPort.Length] : text;
        if (IsRegistry(bare) && !bare.EndsWith(':'))
            text = bare;
        return text is DockerHub or "index.docker.io" or DockerHubApi or "registry.hub.docker.com" ? DockerHub : text.ToString();
    }

    /// <summary>The normalised name.</summary>
    public override string ToString() => Text;

    /// <summary>A host name, an IPv4 address or a bracketed IPv6 address, with an optional port.</summary>
    internal static bool IsHost(ReadOnlySpan<char> host)
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

    private static readonly System.Buffers.SearchValues<char> AddressCharacters = System.Buffers.SearchValues.Create(
        "0123456789abcdefABCDEF:"
    );

    private static bool IsPort(ReadOnlySpan<char> port) =>
        port.IsEmpty || port is [':', _, ..] && !port[1..].ContainsAnyExceptInRange('0', '9');
}
