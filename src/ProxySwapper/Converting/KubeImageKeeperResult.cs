using System.Text.Json.Nodes;
using ProxySwapper.Patterns;

namespace ProxySwapper.Converting;

/// <summary>The configuration that results from several objects and values.</summary>
internal sealed class KubeImageKeeperResult
{
    private readonly List<(string? Registry, JsonObject Rule, string Prefix)> _rules = [];
    private readonly List<string> _ignoredImages = [];
    private readonly List<string> _ignoredNamespaces = [];
    private readonly List<string> _platforms = [];

    /// <summary>The entries of <c>registries</c>.</summary>
    public RegistryEntries Registries { get; } = new();

    /// <summary>What single objects exclude.</summary>
    public KubeImageKeeperExclusions Exclusions { get; } = new();

    public void IgnoreNamespaces(IEnumerable<string> names)
    {
        foreach (var name in names)
            AddOnce(_ignoredNamespaces, name);
    }

    public void AddPlatform(string platform) => AddOnce(_platforms, platform);

    /// <summary>Adds a rule for the images that match an expression, as a pattern if possible.</summary>
    /// <param name="expression">A regular expression for whole references.</param>
    /// <param name="prefix">Registry and path of the target.</param>
    /// <param name="namespaces">The namespaces that the rule applies to; empty for all.</param>
    public void AddRule(string expression, string prefix, IReadOnlyList<string> namespaces)
    {
        var pattern = ForeignPattern.OfImages(expression);
        Exclusions.Include(pattern, namespaces);
        var rule = pattern is null
            ? new JsonObject { ["matchRegex"] = $"({ForeignPattern.Anchor(expression)})", ["replace"] = $"{prefix}/$1" }
            : new JsonObject
            {
                ["match"] = pattern.EndsWith("/**", StringComparison.Ordinal) && IsHost(pattern[..^3]) ? pattern[..^3] : pattern,
            };
        if (namespaces.Count > 0)
            rule["namespaces"] = namespaces.ToJson();
        _rules.Add((pattern is null ? null : TargetPrefix.HostOf(pattern), rule, prefix));
    }

    public JsonObject ToJson()
    {
        Exclusions.Resolve(pattern => AddOnce(_ignoredImages, pattern), name => AddOnce(_ignoredNamespaces, name));
        var result = new JsonObject();
        if (_ignoredImages.Count > 0)
            result["ignoreImages"] = _ignoredImages.ToJson();
        if (_ignoredNamespaces.Count > 0)
            result["ignoreNamespaces"] = _ignoredNamespaces.ToJson();
        foreach (var (registry, rule, prefix) in _rules)
            if (registry is not null)
                // Otherwise, images of several registries could get the same name.
                rule["target"] =
                    registry == "**" || _rules.Exists(other => other.Prefix == prefix && other.Registry is { } name && name != registry)
                        ? $"{prefix}/{TargetPrefix.RegistryPlaceholder}"
                        : prefix;
        if (_rules.Count > 0)
            result["rules"] = new JsonArray([.. _rules.Select(rule => rule.Rule)]);
        if (_platforms.Count > 0)
            result["populate"] = new JsonObject { ["platforms"] = _platforms.ToJson() };
        Registries.AddTo(result);
        return result;
    }

    private static bool IsHost(string text) => !text.Contains('/', StringComparison.Ordinal);

    private static void AddOnce(List<string> list, string text)
    {
        if (!list.Contains(text))
            list.Add(text);
    }
}
