using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>
/// Finds rules that send two images to one name. Anyone who can push to one of the two could then replace the other for the whole cluster,
/// so such rules are rejected unless the target contains the registry's name or the rule accepts the risk. Patterns are compared as
/// written; regular expressions are tested with sample images, also with those whose names the other rules could make equal.
/// </summary>
internal static partial class SharedTargetCheck
{
    private const int MaximumSamples = 4_000;
    private const int MaximumAlternatives = 64;
    private const int MaximumSteps = 1_000;

    private static readonly IReadOnlyList<RegistryName> SampleRegistries =
    [
        .. RegistryName.Public,
        RegistryName.Parse("a.example.com"),
        RegistryName.Parse("b.example.com"),
    ];

    /// <summary>Names of one to three parts that end alike, with the same tags.</summary>
    private static readonly string[] SamplePaths =
    [
        "library/nginx:latest",
        "team/nginx:latest",
        "nginx:latest",
        "other/team/nginx:latest",
        "team/app:1.0",
        "team/project/app:1.0",
        "app:1.0",
        "team/project/app:v1.2.3",
        "app:1",
    ];

    public static void Check(IReadOnlyList<(YamlSection Section, RuleOptions Rule)> rules, string? proxyUrl)
    {
        var checkedRules = new List<CheckedRule>();
        foreach (var (section, rule) in rules)
            if (CheckedRule.Create(section, rule, proxyUrl) is { } usable)
                checkedRules.Add(usable);
        var samples = SamplesOf(checkedRules);
        var sources = new Dictionary<string, (CheckedRule Rule, ImageReference Image)>(StringComparer.Ordinal);
        foreach (var (index, rule) in checkedRules.Index())
        {
            if (rule.IsAllowed)
                continue;
            var sampled = SharedBySamples(rule, samples, sources);
            if (rule is { KeepsRegistry: false, Match.IsOneRegistry: false })
                rule.Reject($"{rule.Key} matches images of more than one registry, and the target does not contain the registry's name");
            else if (
                checkedRules.Take(index).Select(other => SharedBetween(other, rule)).FirstOrDefault(text => text is not null) is { } both
            )
                rule.Reject(both);
            else if (sampled is not null)
                rule.Reject(sampled);
        }
    }

    /// <summary>Two images that this rule, or this and an earlier one, send to one name; or null.</summary>
    private static string? SharedBySamples(
        CheckedRule rule,
        IReadOnlyList<ImageReference> samples,
        Dictionary<string, (CheckedRule Rule, ImageReference Image)> sources
    )
    {
        foreach (var image in samples)
        {
            if (rule.TargetOf(image) is not { } target || sources.TryAdd(target, (rule, image)))
                continue;
            var (otherRule, other) = sources[target];
            // One image for everything that matches is what a replacement without groups is for; still of one registry only.
            var isOneSource =
                image.Registry == other.Registry && (image.Repository == other.Repository || rule.IsOneImage || otherRule.IsOneImage);
            if (!isOneSource)
                return $"{other} and {image} would both become {target}";
        }
        return null;
    }

    private static string? SharedBetween(CheckedRule first, CheckedRule second) =>
        first is { IsAllowed: false, Match: { } one } && second.Match is { } two && IsShared(first, second)
            ? $"the rule sends images of {two.Registry} to where {first.Place} sends those of {one.Registry}"
            : null;

    private static bool IsShared(CheckedRule first, CheckedRule second) =>
        first.Names!.Template != second.Names!.Template
            // One target inside the other: a path of the one can look like what the other adds.
            ? first.Names.MayCollide(second.Names)
            : !first.KeepsRegistry && first.Match!.Registry != second.Match!.Registry && first.Match.MayOverlap(second.Match);

    /// <summary>Sample images of every form, and those that the rules name; none without a regular expression.</summary>
    private static IReadOnlyList<ImageReference> SamplesOf(List<CheckedRule> rules)
    {
        var patterns = rules
            .Select(rule => rule.Regex)
            .OfType<string>()
            .Select(text => text.Replace("\\", "", StringComparison.Ordinal).Replace("[.]", ".", StringComparison.Ordinal))
            .SelectMany(WithoutGroups)
            .ToList();
        if (patterns.Count == 0)
            return [];
        var registries = patterns
            .SelectMany(text => Host().Matches(text).Select(match => match.Value))
            .Concat(rules.Select(rule => rule.Match?.Registry).OfType<string>())
            .Select(host => RegistryName.TryParse(host, out var name) ? name : (RegistryName?)null)
            .OfType<RegistryName>()
            .Concat(SampleRegistries)
            .Distinct()
            .ToList();
        var literals = patterns.SelectMany(text => Literal().Matches(text).Select(match => match.Value)).ToList();
        var paths = literals
            .SelectMany(text => new[] { text, text[(text.IndexOf('/', StringComparison.Ordinal) + 1)..] })
            .Select(text => text.Trim('/', '.', '-'))
            .Where(text => text.Length > 0)
            .SelectMany(text => new[] { $"{text}:1.0", $"{text}/app:1.0", text, $"{text}.0" });
        var images = ImagesOf(SamplePaths.Concat(paths), registries);
        // A path that another rule turns into a name that already is a target.
        var prefixes = rules.Select(rule => rule.Prefix).Distinct(StringComparer.Ordinal).ToList();
        var inside =
            from rule in rules
            from image in images
            let target = rule.TargetOf(image)
            where target is not null
            from prefix in prefixes
            where target.StartsWith(prefix, StringComparison.Ordinal)
            select target[prefix.Length..];
        return [.. images.Union(ImagesOf(inside, registries))];
    }

    /// <summary>A pattern with each group replaced by one of its alternatives: <c>(a|b)c</c> is <c>ac</c> and <c>bc</c>.</summary>
    private static List<string> WithoutGroups(string pattern)
    {
        var texts = new List<string> { pattern };
        for (var (index, steps) = (0, 0); index < texts.Count && steps < MaximumSteps; steps++)
        {
            var text = texts[index];
            if (Group().Match(text) is not { Success: true } group)
            {
                index++;
                continue;
            }
            var choices = group.Groups[1].Value.Split('|');
            texts.RemoveAt(index);
            texts.AddRange(
                choices
                    .Take(Math.Max(1, MaximumAlternatives - texts.Count))
                    .Select(choice => string.Concat(text.AsSpan(0, group.Index), choice, text.AsSpan(group.Index + group.Length)))
            );
        }
        return texts;
    }

    private static List<ImageReference> ImagesOf(IEnumerable<string> paths, IReadOnlyList<RegistryName> registries)
    {
        var images =
            from path in paths.Distinct(StringComparer.Ordinal)
            from registry in registries
            select ImageReference.TryParse($"{registry}/{path}", out var image) ? image.WithDefaultTag() : null;
        // Names on Docker Hub have two parts.
        return
        [
            .. images
                .OfType<ImageReference>()
                .Where(image => !image.Registry.IsDockerHub || image.Repository.Count(letter => letter == '/') == 1)
                .Distinct()
                .Take(MaximumSamples),
        ];
    }

    [GeneratedRegex(@"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?")]
    private static partial Regex Host();

    /// <summary>A group without another one in it.</summary>
    [GeneratedRegex(@"\((?:\?(?::|<\w+>))?([^()]*)\)")]
    private static partial Regex Group();

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

        /// <summary>Whether all its images become one, which its replacement names.</summary>
        public bool IsOneImage => Match is null && ReplacementPattern.IsImage(_rule.Replace!);

        /// <summary>What its targets start with.</summary>
        public string Prefix => Match is null ? ReplacementPattern.PrefixOf(_rule.Replace!) : TargetPrefix.PrefixOf(Target!);

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

        /// <summary>Where an image goes; null if the rule does not match it, or leaves it unchanged.</summary>
        public string? TargetOf(ImageReference image) =>
            TextOf(image) is { } text && ImageReference.TryParse(text, out var target) ? target.WithDefaultTag().ToString() : null;

        private string? TextOf(ImageReference image)
        {
            if (Match is null)
                return _compiled!.Match(image.ToString()) is { Success: true } found ? found.Result(_rule.Replace!) : null;
            if (!Match.IsMatch(image))
                return null;
            var (prefix, suffix) = TargetPrefix.Split(Target!);
            var registry = suffix is null ? "" : TargetPrefix.PathOf(image.Registry.Text);
            return $"{prefix}{registry}{suffix}{image.ToString()[(image.Registry.Text.Length + 1)..]}";
        }

        public void Reject(string what)
        {
            var (key, sources, advice) = Match is null
                ? ("replace", "repositories", "Let the replacement keep the registry's name and the whole path")
                : ("target", "registries", "Use a target such as 'registry.example.com/{registry}', which keeps the registry's name");
            _section.Fault(
                key,
                $"{what}: anyone who can push to one of these {sources} could replace images of the others. "
                    + $"{advice}, or set allowSharedTarget: true"
            );
        }
    }
}
