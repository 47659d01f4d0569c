using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Rules;

/// <summary>One rule, compiled: which images it matches, in which namespaces, and where they go.</summary>
internal abstract class Rule(string name, IReadOnlyList<string> namespaces, string targetPrefix)
{
    private readonly string[] _namespaces = [.. namespaces];

    private const string DockerHub = $"{RegistryName.DockerHubText}/";

    // A replacement such as docker.io/cache-$1 is completed like every name on Docker Hub, to docker.io/library/cache-….
    private readonly string? _officialPrefix =
        targetPrefix.StartsWith(DockerHub, StringComparison.Ordinal) && !targetPrefix.AsSpan(DockerHub.Length).Contains('/')
            ? $"{DockerHub}library/{targetPrefix[DockerHub.Length..]}"
            : null;

    /// <summary>The rule's name in logs and in <c>rewrite</c>: its position in the file.</summary>
    public string Name { get; } = name;

    /// <summary>Whether images that this rule rewrites are copied to where they go.</summary>
    public bool Populate { get; private init; } = true;

    /// <summary>
    /// Whether images of two repositories may come under one name, by this rule or together with another one whose target is inside or
    /// around this one: with <c>allowSharedTarget</c>, and where a regular expression does more than to replace how a name starts.
    /// </summary>
    public bool IsTargetShared { get; private set; }

    /// <summary>The Secret that its target is pulled with, or null.</summary>
    public string? PullSecret { get; private init; }

    /// <summary>Compiles the rules of validated options.</summary>
    public static Rule[] Compile(ProxySwapperOptions options)
    {
        if (options.Rules.Count == 0 && options.ProxyUrl is { } proxyUrl)
            return [RepositoryRule.Create("proxyUrl", RegistryName.DockerHubText, proxyUrl, new RuleOptions())];
        Rule[] rules = [.. options.Rules.Select((rule, index) => Compile($"rules[{index}]", rule, options.ProxyUrl))];
        foreach (var (rule, text) in rules.Zip(options.Rules))
        foreach (var other in rules.Where(rule.IsNear))
            // What two rules with match do to each other was checked when the configuration was read.
            if (text.AllowSharedTarget || rule is RegexRule && (rule.Renaming is null || rule.Renaming != other.Renaming))
                rule.IsTargetShared = other.IsTargetShared = true;
        return rules;
    }

    /// <summary>How names start and what replaces that, if everything else is kept, so that no two names become one; else null.</summary>
    private NameRenaming? Renaming { get; init; }

    private string TargetStart { get; } = targetPrefix;

    private bool IsNear(Rule other) =>
        IsNear(TargetStart, other.TargetStart)
        || IsNear(_officialPrefix ?? TargetStart, other.TargetStart)
        || IsNear(TargetStart, other._officialPrefix ?? other.TargetStart);

    private static bool IsNear(string one, string other) =>
        one.StartsWith(other, StringComparison.Ordinal) || other.StartsWith(one, StringComparison.Ordinal);

    public bool MatchesNamespace(string @namespace)
    {
        if (_namespaces.Length == 0)
            return true;
        foreach (var pattern in _namespaces)
            if (Wildcard.IsMatch(pattern, @namespace))
                return true;
        return false;
    }

    /// <summary>True for an image that already is where this rule sends images.</summary>
    public virtual bool IsTarget(string image) =>
        image.StartsWith(TargetStart, StringComparison.Ordinal)
        || _officialPrefix is not null && image.StartsWith(_officialPrefix, StringComparison.Ordinal);

    /// <summary>The new reference, or null when this rule does not match the image.</summary>
    public abstract string? TargetOf(ImageReference image, string text);

    private static Rule Compile(string name, RuleOptions rule, string? proxyUrl) =>
        rule.Match is { } match ? RepositoryRule.Create(name, match, rule.Target ?? proxyUrl!, rule) : RegexRule.Create(name, rule);

    private sealed class RepositoryRule(string name, IReadOnlyList<string> namespaces, RepositoryPattern pattern, string target)
        : Rule(name, namespaces, TargetPrefix.PrefixOf(target))
    {
        private readonly (string Prefix, string? Suffix) _target = TargetPrefix.Split(target);

        public static RepositoryRule Create(string name, string match, string target, RuleOptions rule) =>
            RepositoryPattern.TryParse(match, out var pattern, out var fault)
                ? new RepositoryRule(name, rule.Namespaces, pattern, target)
                {
                    Populate = rule.Populate,
                    PullSecret = rule.PullSecret,
                    Renaming = NameRenaming.Of(pattern, target),
                }
                : throw new ArgumentException(fault, nameof(match));

        public override string? TargetOf(ImageReference image, string text) =>
            !pattern.IsMatch(image) ? null
            : _target.Suffix is null ? string.Concat(_target.Prefix, text.AsSpan(image.Registry.Text.Length + 1))
            : string.Concat(
                _target.Prefix,
                TargetPrefix.PathOf(image.Registry.Text),
                _target.Suffix,
                text.AsSpan(image.Registry.Text.Length + 1)
            );
    }

    private class RegexRule(string name, IReadOnlyList<string> namespaces, Regex pattern, string replacement)
        : Rule(name, namespaces, ReplacementPattern.PrefixOf(replacement))
    {
        /// <summary>Tried first: most images match none of many rules, and comparing text takes a tenth of the time.</summary>
        private string LiteralStart { get; init; } = "";

        public static RegexRule Create(string name, RuleOptions rule)
        {
            var pattern = SafeRegex.CompileAnchored(rule.MatchRegex!, out _)!;
            var start = PortableRegexReader.TryRead(rule.MatchRegex!, out var portable, out _) ? portable.LiteralStart : "";
            return ReplacementPattern.IsImage(rule.Replace!)
                ? new OneImageRule(name, rule.Namespaces, pattern, rule.Replace!)
                {
                    LiteralStart = start,
                    Populate = rule.Populate,
                    PullSecret = rule.PullSecret,
                }
                : new RegexRule(name, rule.Namespaces, pattern, rule.Replace!)
                {
                    LiteralStart = start,
                    Populate = rule.Populate,
                    PullSecret = rule.PullSecret,
                    Renaming = NameRenaming.Of(rule.MatchRegex!, rule.Replace!),
                };
        }

        public override string? TargetOf(ImageReference image, string text) =>
            text.StartsWith(LiteralStart, StringComparison.Ordinal) && pattern.Match(text) is { Success: true } match
                ? match.Result(replacement)
                : null;
    }

    /// <summary>
    /// Every match becomes the same image, so only that one counts as already there: <c>quay.io/pause:3</c> does not make quay.io a target.
    /// </summary>
    private sealed class OneImageRule(string name, IReadOnlyList<string> namespaces, Regex pattern, string replacement)
        : RegexRule(name, namespaces, pattern, replacement)
    {
        private readonly string _image = ImageReference.Parse(replacement).WithDefaultTag().ToString();

        public override bool IsTarget(string image) => image == _image;
    }
}
