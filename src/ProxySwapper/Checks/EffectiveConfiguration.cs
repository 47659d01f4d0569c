using System.Globalization;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;
using ProxySwapper.Switching;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Checks;

/// <summary>
/// The configuration that the chart writes: <c>config</c> and the values that it adds to it, as in <c>chart/templates/_config.tpl</c>. It
/// leaves out what it computes itself, which cannot be wrong, such as the names of the certificate.
/// </summary>
/// <param name="values">The values.</param>
/// <param name="source">Their file.</param>
internal sealed class EffectiveConfiguration(YamlMappingNode values, YamlSource source)
{
    public YamlMappingNode Create()
    {
        var written = YamlValues.Find(values, "config");
        var config = Copy(written, values);
        foreach (var key in (ReadOnlySpan<string>)["proxyUrl", "dryRun"])
            if (YamlValues.Text(values, key) is { } text && !YamlValues.IsFalse(values, key))
                Set(config, key, source.Derive(YamlValues.Find(values, key)!, key, Plain(YamlValues.IsTrue(values, key) ? "true" : text)));
        if (YamlValues.Text(values, "management", "token", "secret") is not null)
            Set(config, "management", new YamlMappingNode("tokenFrom", new YamlMappingNode("env", "MANAGEMENT_TOKEN")));
        if (YamlValues.IsTrue(values, "pullSecrets", "enabled"))
        {
            var populate = Copy(YamlValues.Find(written, "populate"), values);
            Set(populate, "pullSecrets", Plain("true"));
            Set(config, "populate", populate);
        }
        if (YamlValues.IsTrue(values, "registryCache", "enabled") && YamlValues.IsTrue(values, "registryCache", "rewrite"))
            Set(config, "rules", CreateRules(config));
        if (YamlValues.Text(values, "webhook", "mode") == "policy" && !YamlValues.IsFalse(values, "webhook", "enabled"))
            Set(config, "admissionPolicy", CreatePolicy());
        return config;
    }

    private YamlSequenceNode CreateRules(YamlMappingNode config)
    {
        var rules = new YamlSequenceNode((YamlValues.Find(config, "rules") as YamlSequenceNode)?.Children ?? []);
        // proxyUrl alone implies a rule for docker.io; with other rules it has to be explicit.
        if (rules.Children.Count == 0 && YamlValues.Text(config, "proxyUrl") is not null)
            rules.Add(new YamlMappingNode("match", RegistryName.DockerHubText));
        foreach (var (index, upstream) in (YamlValues.Find(values, "registryCache", "upstreams") as YamlSequenceNode ?? []).Index())
            if (CreateRule(upstream, $"registryCache.upstreams[{index}]") is { } rule)
                rules.Add(rule);
        return rules;
    }

    /// <summary>The rule of a cache; null for an upstream that the schema rejects.</summary>
    private YamlMappingNode? CreateRule(YamlNode upstream, string place)
    {
        if (YamlValues.Find(upstream, "port") is not YamlScalarNode { Value: { } text } port)
            return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return null;
        var isWritten = YamlValues.Text(upstream, "match") is not null;
        if (YamlValues.Find(upstream, isWritten ? "match" : "remoteUrl") is not YamlScalarNode { Value: { } name } origin)
            return null;
        var match = isWritten ? name : RegistryName.HostOfAddress(name, out _);
        var rule = new YamlMappingNode(
            new YamlScalarNode("match"),
            source.Derive(origin, $"{place}.{(isWritten ? "match" : "remoteUrl")}", new YamlScalarNode(match)),
            new YamlScalarNode("target"),
            source.Derive(port, $"{place}.port", new YamlScalarNode($"localhost:{text}")),
            new YamlScalarNode("populate"),
            Plain("false")
        );
        return source.Derive(upstream, place, rule);
    }

    private YamlMappingNode CreatePolicy()
    {
        var policy = new YamlMappingNode("name", YamlValues.Text(values, "webhook", "name") ?? WebhookSwitch.DefaultName);
        if (YamlValues.Find(values, "webhook", "name") is { } name)
            source.Derive(name, "webhook.name", policy.Children.Single().Value);
        if (YamlValues.Find(values, "webhook", "matchConditions") is { } conditions)
            policy.Add("matchConditions", conditions);
        return policy;
    }

    /// <summary>A mapping that can be changed; it is where the original is, or where the values are.</summary>
    private YamlMappingNode Copy(YamlNode? written, YamlMappingNode otherwise)
    {
        var copy = new YamlMappingNode();
        foreach (var (key, value) in written as YamlMappingNode ?? new YamlMappingNode())
            copy.Add(key, value);
        return source.Derive(written ?? otherwise, null, copy);
    }

    private static void Set(YamlMappingNode mapping, string key, YamlNode value) => mapping.Children[new YamlScalarNode(key)] = value;

    private static YamlScalarNode Plain(string text) => new(text) { Style = ScalarStyle.Plain };
}
