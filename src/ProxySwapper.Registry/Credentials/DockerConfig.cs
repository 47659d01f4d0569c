using System.Text;
using System.Text.Json;

namespace ProxySwapper.Registry.Credentials;

/// <summary>The credential settings of a Docker <c>config.json</c>.</summary>
internal sealed class DockerConfig
{
    /// <summary>This program is a helper itself: it would call itself forever, and its credentials are in the chain anyway.</summary>
    private const string Own = "proxyswapper";

    /// <summary>Deeper than any real file; the parser does not recurse.</summary>
    private const int MaximumDepth = 512;

    private readonly List<(DockerConfigKey Key, RegistryCredential Credential)> _auths = [];

    /// <summary>The helpers by host, also of hosts that only their upper-case letters distinguish from a path.</summary>
    private readonly Dictionary<string, string> _helpers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Entries of <c>auths</c> that are not understood, with the reason.</summary>
    private readonly List<(DockerConfigKey Key, string Reason)> _faults = [];

    /// <summary>Why <c>auths</c> as a whole is not understood, or null.</summary>
    private string? _fault;

    /// <summary>The helper for all other hosts, or null.</summary>
    public string? Store { get; private set; }

    /// <summary>
    /// Parses a configuration. Unknown content is skipped, however odd: invalid Unicode, deep nesting. An empty text is an empty
    /// configuration.
    /// </summary>
    /// <exception cref="JsonException">The text is not a JSON object.</exception>
    public static DockerConfig Parse(string json)
    {
        if (string.IsNullOrWhiteSpace(json))
            return new DockerConfig();
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaximumDepth });
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException("not an object", null, 0, null);
        var config = new DockerConfig { Store = Text(root, "credsStore") is { } store && store != Own ? store : null };
        if (Member(root, "auths") is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
            config._fault = "auths must be an object";
        foreach (var (key, entry) in Members(root, "auths"))
        {
            var place = DockerConfigKey.Parse(key);
            if (CredentialOf(entry) is { } credential)
                config._auths.Add((place, credential));
            else if (FaultOf(entry) is { } reason)
                config._faults.Add((place, $"auths['{place}']{reason}"));
        }
        foreach (var (key, entry) in Members(root, "credHelpers"))
            if (TextOf(entry) is { } helper && helper != Own)
                config._helpers[DockerConfigKey.Parse(key).Host] = helper;
        return config;
    }

    public string? HelperOf(RegistryName registry) => _helpers.GetValueOrDefault(registry.Text);

    /// <summary>The credential of the most specific key for an image: the longest path, an exact host before wildcards.</summary>
    public RegistryCredential? Find(ImageReference image) =>
        _auths
            .Where(entry => entry.Key.IsMatch(image))
            .OrderByDescending(entry => entry.Key.Path.Length)
            .ThenBy(entry => entry.Key.HasStars)
            .Select(entry => entry.Credential)
            .FirstOrDefault();

    /// <summary>Why there is no credential for an image, though there is an entry: the place and what must be there; or null.</summary>
    public string? FaultOf(ImageReference image) => _fault ?? _faults.Find(fault => fault.Key.IsMatch(image)).Reason;

    /// <summary>What is wrong with an entry without a credential. Docker leaves empty ones behind when a helper has the login.</summary>
    private static string? FaultOf(JsonElement entry) =>
        entry.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Object when Member(entry, "auth") is { ValueKind: not JsonValueKind.Null } auth && TextOf(auth) is not "" =>
                ".auth must be user:password in Base64",
            JsonValueKind.Object => null,
            _ => " must be an object",
        };

    private static JsonElement? Member(JsonElement element, string name) =>
        Members(element).LastOrDefault(member => member.Name == name) is (not null, var value) ? value : null;

    private static RegistryCredential? CredentialOf(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
            return null;
        if (Text(entry, "identitytoken") is { } token)
            return RegistryCredential.Identity(token);
        if (Text(entry, "auth") is { } auth && Decode(auth) is { } pair && pair.IndexOf(':') is > 0 and var colon)
            return RegistryCredential.Basic(pair[..colon], pair[(colon + 1)..].TrimEnd('\0'));
        return Text(entry, "username") is { } username ? RegistryCredential.Basic(username, Text(entry, "password") ?? "") : null;
    }

    private static string? Decode(string base64)
    {
        Span<byte> bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? Encoding.UTF8.GetString(bytes[..length]) : null;
    }

    /// <summary>The members of a nested object; none if it is missing or of another type.</summary>
    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement root, string name) =>
        Member(root, name) is { } inner ? Members(inner) : [];

    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var member in element.EnumerateObject())
            if (NameOf(member) is { } name)
                yield return (name, member.Value);
    }

    private static string? Text(JsonElement entry, string name) =>
        Member(entry, name) is { } value && TextOf(value) is { Length: > 0 } text ? text : null;

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            // An escaped unpaired surrogate, which JSON allows but a string cannot represent.
            return null;
        }
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>
/// A key of <c>auths</c>: a host with or without scheme, an optional path (the API version or a repository prefix), and wildcards in the
/// host's labels as in kubelet. Docker Hub appears as <c>https://index.docker.io/v1/</c>.
/// </summary>
/// <param name="Host">
/// The host, normalised: text and not a <see cref="RegistryName"/>, since it may be a pattern, or a host without dot and port.
/// </param>
/// <param name="Path">The path without leading and trailing slashes; empty for all repositories.</param>
internal sealed record DockerConfigKey(string Host, string Path)
{
    public override string ToString() => Path.Length == 0 ? Host : $"{Host}/{Path}";

    public bool HasStars => Host.Contains('*', StringComparison.Ordinal);

    public static DockerConfigKey Parse(string key)
    {
        var host = RegistryName.HostOfAddress(key, out var path);
        return new DockerConfigKey(host, path);
    }

    public bool IsMatch(ImageReference image) =>
        IsHostMatch(image.Registry.Text)
        && (Path.Length == 0 || image.Repository == Path || image.Repository.StartsWith($"{Path}/", StringComparison.Ordinal));

    /// <summary>A star matches characters of one label; ports must be equal.</summary>
    private bool IsHostMatch(string registry)
    {
        if (!HasStars)
            return Host == registry;
        var (own, other) = (Host.Split(':'), registry.Split(':'));
        if (own.Length != other.Length || own.Length > 1 && own[1] != other[1])
            return false;
        var (labels, others) = (own[0].Split('.'), other[0].Split('.'));
        return labels.Length == others.Length
            && labels.Zip(others).All(pair => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pair.First, pair.Second));
    }
}
