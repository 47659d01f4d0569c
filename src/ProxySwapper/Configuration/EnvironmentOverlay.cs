using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration;

/// <summary>
/// Overlays the file with the environment: <c>PROXY_URL</c>, and <c>PROXYSWAPPER_</c> followed by the key's path in upper case, with or
/// without underscores between its words: <c>PROXYSWAPPER_POPULATE_MAX_RETRIES</c>. List items are separated by commas.
/// </summary>
internal static class EnvironmentOverlay
{
    private const string Prefix = "PROXYSWAPPER_";

    /// <summary>Variables with this prefix that other parts of the program read.</summary>
    private static readonly string[] OtherPrefixes = ["PROXYSWAPPER_MIRROR_", "PROXYSWAPPER_CREDENTIAL_"];

    private static readonly string[] Texts =
    [
        "proxyUrl",
        "dryRun",
        "port",
        "tlsCertPath",
        "tlsKeyPath",
        "managementPort",
        "certificates.secret",
        "certificates.webhook",
        "drainDelay",
        "shutdownGracePeriod",
        "logLevel",
        "logFormat",
        "swapPolicy",
        "patchLabel.key",
        "patchLabel.value",
        "populate.policy",
        "populate.deadline",
        "populate.maxNumberOfParallelJobs",
        "populate.maxRetries",
        "populate.queueLimit",
        "populate.copyTimeout",
        "populate.platform",
        "populate.recheckAfter",
        "populate.reconcileEvery",
        "populate.backfill",
        "populate.pullSecrets",
        "populate.gate.deadline",
        "populate.gate.onFailure",
        "populate.gate.jobs",
        "populate.gate.pinDigests",
        "proxyHealth.fallback",
        "proxyHealth.interval",
    ];

    private static readonly string[] Lists =
    [
        "ignoreImages",
        "placeholderImages",
        "ignoreNamespaces",
        "ignoreOwners",
        "populate.platforms",
        "populate.gate.schedulers",
        "certificates.dnsNames",
    ];

    private static readonly Dictionary<string, string> Paths = Texts.Concat(Lists).ToDictionary(WordOf, StringComparer.Ordinal);

    public static void Apply(EnvironmentVariables environment, YamlMappingNode root, YamlSource source, List<ConfigurationFault> faults)
    {
        foreach (var (variable, value) in environment.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (PathOf(variable, value) is not { } path)
                continue;
            if (path.Length > 0)
                Set(root, path, variable, value, source);
            else
                faults.Add(
                    new(
                        variable,
                        0,
                        0,
                        "",
                        $"unknown variable; valid variables are {string.Join(", ", Texts.Concat(Lists).Select(VariableOf))}"
                    )
                );
        }
    }

    /// <summary>The variable that sets a key, however it is spelled; null if none does.</summary>
    public static string? FindVariable(EnvironmentVariables environment, string path) =>
        environment.Values.Where(pair => PathOf(pair.Key, pair.Value) == path).Select(pair => pair.Key).Max(StringComparer.Ordinal);

    /// <summary>The documented name of a key's variable.</summary>
    public static string VariableOf(string path) =>
        Prefix
        + string.Concat(
            path.Select(character =>
                character == '.' ? "_"
                : char.IsAsciiLetterUpper(character) ? $"_{character}"
                : $"{char.ToUpperInvariant(character)}"
            )
        );

    /// <summary>The path of the key that a variable sets; empty for an unknown one, and null for one that is not a setting.</summary>
    private static string? PathOf(string variable, string value) =>
        variable == "PROXY_URL" ? "proxyUrl"
        : !variable.StartsWith(Prefix, StringComparison.Ordinal) || IsOther(variable, value) ? null
        : Paths.GetValueOrDefault(WordOf(variable[Prefix.Length..]), "");

    /// <summary>
    /// Variables that this reader does not judge: those of other commands, and those that kubelet creates for each Service in the
    /// namespace, since a Service may well be called proxyswapper
    /// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
    /// </summary>
    private static bool IsOther(string variable, string value) =>
        OtherPrefixes.Any(other => variable.StartsWith(other, StringComparison.Ordinal))
        || variable.EndsWith("_SERVICE_HOST", StringComparison.Ordinal)
        || variable.Contains("_SERVICE_PORT", StringComparison.Ordinal)
        || variable.Contains("_TCP", StringComparison.Ordinal)
        || variable.Contains("_UDP", StringComparison.Ordinal)
        || variable.EndsWith("_PORT", StringComparison.Ordinal) && value.Contains("://", StringComparison.Ordinal);

    private static void Set(YamlMappingNode root, string path, string variable, string value, YamlSource source)
    {
        var keys = path.Split('.');
        var mapping = root;
        foreach (var key in keys[..^1])
        {
            var (written, child) = Find(mapping, key);
            // A key without a value, or with null, is as good as missing.
            if (child is null || YamlSection.IsNull(child))
                mapping.Children[written ?? new YamlScalarNode(key)] = child = new YamlMappingNode();
            // The value is not a mapping; reading the file reports that.
            if (child is not YamlMappingNode inner)
                return;
            mapping = inner;
        }
        YamlNode node = Lists.Contains(path)
            ? new YamlSequenceNode(
                value
                    .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(item => source.FromVariable(variable, new YamlScalarNode(item)))
            )
            : new YamlScalarNode(value);
        mapping.Children[Find(mapping, keys[^1]).Key ?? new YamlScalarNode(keys[^1])] = source.FromVariable(variable, node);
    }

    private static (YamlNode? Key, YamlNode? Value) Find(YamlMappingNode mapping, string key)
    {
        var (written, value) = mapping.Children.FirstOrDefault(pair => NameOf(pair.Key).Equals(key, StringComparison.OrdinalIgnoreCase));
        return (written, value);
    }

    private static string NameOf(YamlNode key) => (key as YamlScalarNode)?.Value ?? "";

    private static string WordOf(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
}
