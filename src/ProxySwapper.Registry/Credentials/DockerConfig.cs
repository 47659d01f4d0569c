using System.Text;
using System.Text.Json;

namespace ProxySwapper.Registry.Credentials;

/// <summary>A Docker <c>config.json</c>, as far as it is about credentials.</summary>
internal sealed class DockerConfig
{
    /// <summary>
    /// This program is a helper itself: started by its own name it would ask itself for ever, and what it knows is in the chain anyway.
    /// </summary>
    private const string Own = "proxyswapper";

    private readonly List<(DockerConfigKey Key, RegistryCredential Credential)> _auths = [];
    private readonly Dictionary<string, string> _helpers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The helper for hosts that nothing else is said of, or null.</summary>
    public string? Store { get; private set; }

    /// <exception cref="JsonException">The text is no JSON object.</exception>
    public static DockerConfig Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw new JsonException("no object", null, 0, null);
        var config = new DockerConfig { Store = Text(root, "credsStore") is { } store && store != Own ? store : null };
        foreach (var entry in Members(root, "auths"))
            if (CredentialOf(entry.Value) is { } credential)
                config._auths.Add((DockerConfigKey.Parse(entry.Name), credential));
        foreach (var entry in Members(root, "credHelpers"))
            if (entry.Value.ValueKind == JsonValueKind.String && entry.Value.GetString() != Own)
                config._helpers[DockerConfigKey.Parse(entry.Name).Host] = entry.Value.GetString()!;
        return config;
    }

    public string? HelperOf(string registry) => _helpers.GetValueOrDefault(registry);

    /// <summary>
    /// The credential of the key that is closest to the image: the longest path, a host written out before one with stars.
    /// </summary>
    public RegistryCredential? Find(ImageReference image) =>
        _auths
            .Where(entry => entry.Key.IsMatch(image))
            .OrderByDescending(entry => entry.Key.Path.Length)
            .ThenBy(entry => entry.Key.HasStars)
            .Select(entry => entry.Credential)
            .FirstOrDefault();

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

    private static JsonElement.ObjectEnumerator Members(JsonElement root, string name) =>
        root.TryGetProperty(name, out var members) && members.ValueKind == JsonValueKind.Object ? members.EnumerateObject() : default;

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;
}
