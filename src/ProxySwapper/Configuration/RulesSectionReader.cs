using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;

namespace ProxySwapper.Configuration;

/// <summary>Reads <c>rules</c>, <c>proxyUrl</c> and the ignore lists.</summary>
internal static class RulesSectionReader
{
    /// <summary>So many are checked against each other in some seconds.</summary>
    private const int MaximumRegexes = 200;

    public static IReadOnlyList<RuleOptions> Read(YamlSection top, string? proxyUrl, AutomatonLimit automata)
    {
        var rules = top.Sections("rules").Select(section => (Section: section, Rule: ReadRule(section, proxyUrl, automata))).ToList();
        if (rules.Where(rule => rule.Rule.MatchRegex is not null).Skip(MaximumRegexes).FirstOrDefault() is { Section: { } first })
            first.Fault(
                "matchRegex",
                $"at most {MaximumRegexes} rules can have matchRegex: use match, or one regular expression with alternatives"
            );
        else if (!automata.IsExceeded)
            SharedTargetCheck.Check(rules, proxyUrl);
        return [.. rules.Select(rule => rule.Rule)];
    }

    /// <summary>The registry, with an optional path, that images are sent to.</summary>
    public static string? ReadTarget(YamlSection section, string key)
    {
        if (section.String(key) is not { } text)
            return null;
        if (TargetPrefix.Validate(text) is { } fault)
            section.Fault(key, fault);
        return text;
    }

    public static IReadOnlyList<string> ReadIgnoredImages(YamlSection top) =>
        top.Strings("ignoreImages", pattern => ImagePattern.TryParse(pattern, out _, out var fault) ? null : fault);

    /// <summary>Controller kinds, or null when the key is missing.</summary>
    public static IReadOnlyList<string>? ReadOwners(YamlSection top) =>
        top.Has("ignoreOwners")
            ? top.Strings(
                "ignoreOwners",
                pattern =>
                    pattern.Split('/') is [{ Length: > 0 }, { Length: > 0 }]
                        ? null
                        : "must be a controller's group/Kind, such as postgresql.cnpg.io/Cluster; * matches any characters"
            )
            : null;

    public static IReadOnlyList<string> ReadNamespaces(YamlSection section, string key) =>
        section.Strings(
            key,
            pattern =>
                pattern.Length > 0
                && pattern.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '*')
                    ? null
                    : "must be a namespace name; * matches any characters"
        );

    private static RuleOptions ReadRule(YamlSection section, string? proxyUrl, AutomatonLimit automata)
    {
        var rule = new RuleOptions
        {
            Match = section.String("match"),
            Target = ReadTarget(section, "target"),
            MatchRegex = section.String("matchRegex"),
            Replace = section.String("replace"),
            Namespaces = ReadNamespaces(section, "namespaces"),
            Populate = section.Boolean("populate") ?? true,
            PullSecret = section.String("pullSecret"),
            AllowSharedTarget = section.Boolean("allowSharedTarget") ?? false,
        };
        section.RejectUnknownKeys();
        Check(section, rule, proxyUrl, automata);
        return rule;
    }

    private static void Check(YamlSection section, RuleOptions rule, string? proxyUrl, AutomatonLimit automata)
    {
        if (rule.PullSecret is { } secret && !ObjectName.IsValid(secret))
            section.Fault("pullSecret", $"must be the name of a Secret in the Pod's namespace: {ObjectName.Rule}");
        var regex = default(Regex);
        if (rule.Match is not null && !RepositoryPattern.TryParse(rule.Match, out _, out var fault))
            section.Fault("match", fault);
        if (rule.MatchRegex is not null && (regex = SafeRegex.CompileAnchored(rule.MatchRegex, out fault)) is null)
            section.Fault("matchRegex", fault!);
        if (regex is not null && automata.Add(rule.MatchRegex!, regex) is { } many)
            section.Fault("matchRegex", many);
        if (rule.Replace is not null && ReplacementPattern.Validate(rule.Replace, regex) is { } wrong)
            section.Fault("replace", wrong);
        switch (rule)
        {
            case { Match: null, MatchRegex: null } when section.Has("match") || section.Has("matchRegex"):
                // Of the wrong kind, which is reported.
                break;
            case { Match: null, MatchRegex: null } or { Match: not null, MatchRegex: not null }:
                section.Fault("match", "exactly one of match and matchRegex is required");
                break;
            case { Match: not null }:
                if (rule.Replace is not null)
                    section.Fault("replace", "cannot be combined with match, which has target");
                if (rule.Target is null && proxyUrl is null)
                    section.Fault("target", "is required, since proxyUrl is not set");
                break;
            default:
                if (rule.Target is not null)
                    section.Fault("target", "cannot be combined with matchRegex, which has replace");
                if (rule.Replace is null)
                    section.Fault("replace", "is required: the new reference, such as 'localhost:5000/$1'");
                break;
        }
    }
}
