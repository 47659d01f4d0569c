using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.AdmissionPolicies;

/// <summary>Compiles rules to CEL; what cannot be expressed is rejected by its key.</summary>
internal sealed class RuleExpressions(string? proxyUrl, ConfigurationLocations locations)
{
    private readonly List<PolicyRejection> _rejections = [];

    /// <summary>What could not be expressed so far.</summary>
    public IReadOnlyList<PolicyRejection> Rejections => _rejections;

    /// <summary>The rule implied by <c>proxyUrl</c> alone.</summary>
    public PolicyRule OfProxyUrl() => OfMatch("proxyUrl", new RuleOptions { Match = RegistryName.DockerHubText });

    /// <summary>A rule. If it cannot be expressed, it rewrites nothing, and images at its target still count as downstream.</summary>
    public PolicyRule Of(string key, RuleOptions rule)
    {
        var compiled = rule.Match is null ? OfRegex(key, rule) : OfMatch(key, rule);
        return rule.PullSecret is { } secret && compiled.CanRewrite ? compiled.WithPullSecret(secret) : compiled;
    }

    /// <summary>Images at <c>proxyUrl</c> stay there even if no rule names it any more.</summary>
    public IEnumerable<CelExpression> AtProxyUrl() =>
        proxyUrl is null ? [] : [PatternExpressions.StartsWith(TargetPrefix.PrefixOf(proxyUrl))];

    private PolicyRule OfMatch(string key, RuleOptions rule)
    {
        if (!RepositoryPattern.TryParse(rule.Match!, out var pattern, out var fault))
            throw new ArgumentException(fault, nameof(rule));
        var (prefix, suffix) = TargetPrefix.Split(rule.Target ?? proxyUrl!);
        return new PolicyRule(
            key,
            locations.LineOf(key),
            Summary(rule, $"{rule.Match} -> {(suffix is null ? prefix : rule.Target ?? proxyUrl)}"),
            InNamespaces(rule, PatternExpressions.Of(pattern)),
            suffix is null
                ? new($"{CelText.Quote(prefix)} + {ReferenceExpressions.Path("r.text")}", CelCost.OfSubstring())
                : new(
                    $"{CelText.Quote(prefix)} + {ReferenceExpressions.RegistryPath("r.text")} + {CelText.Quote(suffix)} + "
                        + ReferenceExpressions.Path("r.text"),
                    3 * CelCost.OfSubstring()
                ),
            AtPrefix(prefix)
        );
    }

    private PolicyRule OfRegex(string key, RuleOptions rule)
    {
        var image = ReplacementPattern.IsImage(rule.Replace!) ? ImageReference.Parse(rule.Replace!) : null;
        var unchanged = new PolicyRule(
            key,
            locations.LineOf(key),
            Summary(rule, $"{rule.MatchRegex} -> {rule.Replace}"),
            PolicyRule.Never,
            PolicyRule.Unchanged,
            image is null
                ? AtPrefix(ReplacementPattern.PrefixOf(rule.Replace!))
                : [PatternExpressions.Equals(image.WithDefaultTag().ToString())]
        );
        if (!PortableRegexReader.TryRead(rule.MatchRegex!, out var portable, out var reason))
        {
            _rejections.Add(
                new(
                    $"{key}.matchRegex",
                    $"cannot be used in CEL, whose regular expressions are RE2: {reason}",
                    "later rules apply to its images, and images at its target are left unchanged"
                )
            );
            return unchanged;
        }
        var matching = unchanged with { Condition = InNamespaces(rule, PatternExpressions.Matches($"^(?:{rule.MatchRegex})$")) };
        if (image is not null)
            return matching with { Target = new(CelText.Quote(image.ToString()), 1) };
        var regex = SafeRegex.CompileAnchored(rule.MatchRegex!, out _)!;
        if (TryReplace(regex, portable, rule.Replace!, out var target, out reason))
            return matching with { Target = target };
        _rejections.Add(
            new(
                $"{key}.replace",
                $"cannot be used in CEL, which has no capture groups and cannot locate them otherwise: {reason}",
                "its images are left unchanged"
            )
        );
        return matching;
    }

    private static bool TryReplace(Regex regex, PortableRegex portable, string replacement, out CelExpression target, out string reason)
    {
        (target, reason) = (default, "a '$' that does not name a group");
        if (ReplacementPart.Read(replacement, regex) is not { } parts)
            return false;
        // It starts with the target registry written out.
        var (first, host) = (parts[0].Text, TargetPrefix.HostOf(parts[0].Text));
        parts = [new ReplacementPart(RegistryName.Parse(host).Text + first[host.Length..], -1), .. parts.Skip(1)];
        var numbers = regex.GetGroupNames().ToDictionary(name => name, regex.GroupNumberFromName);
        if (!GroupExtractor.TryExtract(portable, numbers, parts, out target, out var fault))
        {
            reason = fault;
            return false;
        }
        // Results on Docker Hub are completed like every name there.
        if (parts[0].Text.StartsWith("docker.io/", StringComparison.Ordinal))
            target = new($"[{target.Expression}].map(t, {ReferenceExpressions.Official("t")})[0]", target.Cost + CelCost.OfSubstring());
        return true;
    }

    private static CelExpression InNamespaces(RuleOptions rule, CelExpression condition) =>
        rule.Namespaces.Count == 0 ? condition : PatternExpressions.OfNamespaces(rule.Namespaces).And(condition);

    private static CelExpression[] AtPrefix(string prefix)
    {
        const string DockerHub = "docker.io/";
        var isOfficial = prefix.StartsWith(DockerHub, StringComparison.Ordinal) && !prefix.AsSpan(DockerHub.Length).Contains('/');
        return isOfficial
            ? [PatternExpressions.StartsWith(prefix), PatternExpressions.StartsWith($"{DockerHub}library/{prefix[DockerHub.Length..]}")]
            : [PatternExpressions.StartsWith(prefix)];
    }

    private static string Summary(RuleOptions rule, string what) =>
        rule.Namespaces.Count == 0 ? what : $"{what} in {string.Join(", ", rule.Namespaces)}";
}
