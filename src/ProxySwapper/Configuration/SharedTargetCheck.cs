using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>
/// Finds rules that send images of two registries to one name. Anyone who can push to one of the registries could then replace images of
/// the other for the whole cluster, so such rules are refused unless the target contains the registry's name or the rule accepts the risk.
/// Patterns are compared as written; regular expressions are tested with sample images.
/// </summary>
internal static partial class SharedTargetCheck
{
    private static readonly IReadOnlyList<RegistryName> SampleRegistries =
    [
        .. RegistryName.Public,
        RegistryName.Parse("a.example.com"),
        RegistryName.Parse("b.example.com"),
    ];
    private static readonly string[] SamplePaths = ["library/nginx:latest", "team/app:1.0", "team/project/app:v1.2.3", "app:1"];

    public static void Check(IReadOnlyList<(YamlSection Section, RuleOptions Rule)> rules, string? proxyUrl)
    {
        var checkedRules = new List<CheckedRule>();
        foreach (var (section, rule) in rules)
            if (CheckedRule.Create(section, rule, proxyUrl) is { } usable)
                checkedRules.Add(usable);
        var samples = SamplesOf(checkedRules);
        foreach (var (index, rule) in checkedRules.Index())
        {
            if (rule.IsAllowed)
                continue;
            if (rule is { KeepsRegistry: false, Match.IsOneRegistry: false })
                rule.Refuse($"{rule.Key} matches images of more than one registry, and the target does not contain the registry's name");
            else if (SharedWithin(rule, samples) is { } shared)
                rule.Refuse(shared);
            else if (
                checkedRules.Take(index).Select(other => SharedBetween(other, rule, samples)).FirstOrDefault(text => text is not null) is
                { } both
            )
                rule.Refuse(both);
        }
    }

    private static string? SharedWithin(CheckedRule rule, IReadOnlyList<(RegistryName Registry, string Path)> samples)
    {
        if (rule.Match is not null)
            return null;
        foreach (var path in samples.GroupBy(sample => sample.Path, StringComparer.Ordinal))
        {
            var targets = new Dictionary<string, RegistryName>(StringComparer.Ordinal);
            foreach (var (registry, _) in path)
                if (rule.TargetOf(registry, path.Key) is { } target && !targets.TryAdd(target, registry))
                    return Shared($"{targets[target]}/{path.Key}", $"{registry}/{path.Key}", target);
        }
        return null;
    }

    private static string? SharedBetween(CheckedRule first, CheckedRule second, IReadOnlyList<(RegistryName Registry, string Path)> samples)
    {
        if (first.IsAllowed)
            return null;
        if (first.Match is { } one && second.Match is { } two)
            return IsShared(first, second)
                ? $"the rule sends images of {two.Registry} to where {first.Place} sends those of {one.Registry}"
                : null;
        if (first.KeepsRegistry || second.KeepsRegistry)
            return null;
        foreach (var path in samples.GroupBy(sample => sample.Path, StringComparer.Ordinal))
        {
            var targets = new Dictionary<string, RegistryName>(StringComparer.Ordinal);
            foreach (var (registry, _) in path)
                if (first.TargetOf(registry, path.Key) is { } target)
                    targets.TryAdd(target, registry);
            foreach (var (registry, _) in path)
                if (second.TargetOf(registry, path.Key) is { } target && targets.TryGetValue(target, out var other) && other != registry)
                    return Shared($"{other}/{path.Key}", $"{registry}/{path.Key}", target);
        }
        return null;
    }

    private static bool IsShared(CheckedRule first, CheckedRule second) =>
        first.Names!.Template != second.Names!.Template
            // One target inside the other: a path of the one can look like what the other adds.
            ? first.Names.MayCollide(second.Names)
            : !first.KeepsRegistry && first.Match!.Registry != second.Match!.Registry && first.Match.MayOverlap(second.Match);

    private static string Shared(string one, string two, string target) => $"{one} and {two} would both become {target}";

    /// <summary>Sample registries and paths of every form, and those that the rules name.</summary>
    private static List<(RegistryName Registry, string Path)> SamplesOf(List<CheckedRule> rules)
    {
        var patterns = rules
            .Select(rule => rule.Regex)
            .OfType<string>()
            .Select(text => text.Replace("\\", "", StringComparison.Ordinal).Replace("[.]", ".", StringComparison.Ordinal))
            .ToList();
        var registries = patterns
            .SelectMany(text => Host().Matches(text).Select(match => match.Value))
            .Concat(rules.Select(rule => rule.Match?.Registry).OfType<string>())
            .Select(host => RegistryName.TryParse(host, out var name) ? name : (RegistryName?)null)
            .OfType<RegistryName>()
            .Concat(SampleRegistries);
        var literals = patterns.SelectMany(text => Literal().Matches(text).Select(match => match.Value)).ToList();
        var paths = literals
            .SelectMany(text => new[] { text, text[(text.IndexOf('/', StringComparison.Ordinal) + 1)..] })
            .Select(text => text.Trim('/', '.', '-'))
            .Where(text => text.Length > 0)
            .SelectMany(text => new[] { $"{text}:1.0", $"{text}/app:1.0", text, $"{text}.0" })
            .Concat(SamplePaths);
        var all =
            from path in paths.Distinct(StringComparer.Ordinal)
            from registry in registries.Distinct()
            where ImageReference.TryParse($"{registry}/{path}", out _)
            select (registry, path);
        return [.. all.Take(2000)];
    }

    [GeneratedRegex(@"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?")]
    private static partial Regex Host();

    /// <summary>What a pattern says literally: parts of paths and tags, also inside of groups.</summary>
    [GeneratedRegex("[A-Za-z0-9_.:/-]+")]
    private static partial Regex Literal();

    /// <summary>A rule whose parts are valid.</summary>
    private sealed class CheckedRule
    {
        private readonly YamlSection _section;
        private readonly RuleOptions _rule;
        private readonly Regex? _compiled;

        private CheckedRule(YamlSection section, RuleOptions rule, RepositoryPattern? match, string? target, Regex? compiled) =>
            (_section, _rule, Match, Target, _compiled, Names) = (
                section,
                rule,
                match,
                target,
                compiled,
                match is null ? null : TargetPattern.Create(target!, match)
            );

        public RepositoryPattern? Match { get; }

        public string? Target { get; }

        /// <summary>The names of its images, for rules with <c>match</c>.</summary>
        public TargetPattern? Names { get; }

        public string? Regex => _rule.MatchRegex;

        public string Key => Match is null ? "matchRegex" : "match";

        public string Place => _section.Place;

        public bool IsAllowed => _rule.AllowSharedTarget;

        public bool KeepsRegistry => Target is { } target && TargetPrefix.KeepsRegistry(target);

        public static CheckedRule? Create(YamlSection section, RuleOptions rule, string? proxyUrl)
        {
            var target = rule.Target ?? proxyUrl;
            if (rule is { Match: { } match, MatchRegex: null } && target is not null && TargetPrefix.Validate(target) is null)
                return RepositoryPattern.TryParse(match, out var pattern, out _)
                    ? new CheckedRule(section, rule, pattern, target, null)
                    : null;
            var regex = rule.MatchRegex is { } text ? SafeRegex.CompileAnchored(text, out _) : null;
            return regex is not null && rule is { Match: null, Replace: { } replace } && ReplacementPattern.Validate(replace, regex) is null
                ? new CheckedRule(section, rule, null, null, regex)
                : null;
        }

        public string? TargetOf(RegistryName registry, string path) =>
            Match is { } match
                ? match.IsMatch(ImageReference.Parse($"{registry}/{path}"))
                    ? $"{TargetPrefix.PrefixOf(Target!)}{path}"
                    : null
                : _compiled!.Match($"{registry}/{path}") is { Success: true } found
                    ? found.Result(_rule.Replace!)
                    : null;

        public void Refuse(string what) =>
            _section.Fault(
                Match is null ? "replace" : "target",
                $"{what}: anyone who can push to one of these registries could replace images of the others. "
                    + (Match is null ? "Let the replacement keep" : "Use a target such as 'registry.example.com/{registry}', which keeps")
                    + " the registry's name, or set allowSharedTarget: true"
            );
    }
}
