using ProxySwapper.Rules;

namespace ProxySwapper.Configuration;

/// <summary>Reads <c>rules</c>, <c>proxyUrl</c> and what is ignored.</summary>
internal static class RulesSectionReader
{
    public static IReadOnlyList<RuleOptions> Read(YamlSection top, string? proxyUrl) =>
        [.. top.Sections("rules").Select(section => ReadRule(section, proxyUrl))];

    /// <summary>A registry with an optional path that images are sent to.</summary>
    public static string? ReadTarget(YamlSection section, string key)
    {
        if (section.String(key) is not { } text) return null;
        if (RuleTarget.FaultOf(text) is { } fault) section.Fault(key, fault);
        return text;
    }

    public static IReadOnlyList<string> ReadIgnoredImages(YamlSection top)
    {
        var patterns = top.Strings("ignoreImages");
        foreach (var (index, pattern) in patterns.Index())
            if (!ImagePattern.TryParse(pattern, out _, out var fault)) top.Fault("ignoreImages", index, fault);
        return patterns;
    }

    public static IReadOnlyList<string> ReadNamespaces(YamlSection section, string key)
    {
        var patterns = section.Strings(key);
        foreach (var (index, pattern) in patterns.Index())
            if (pattern.Length == 0 || !pattern.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '*'))
                section.Fault(key, index, "must be a namespace's name, in which * stands for any characters");
        return patterns;
    }

    private static RuleOptions ReadRule(YamlSection section, string? proxyUrl)
    {
        var rule = new RuleOptions
        {
            Match = section.String("match"),
            Target = ReadTarget(section, "target"),
            MatchRegex = section.String("matchRegex"),
            Replace = section.String("replace"),
            Namespaces = ReadNamespaces(section, "namespaces"),
            Populate = section.Boolean("populate") ?? true,
        };
        section.RefuseUnknown();
        if (rule.Match is null == rule.MatchRegex is null) section.Fault("match", "or matchRegex is needed, one of them");
        else if (rule.Match is not null) CheckMatch(section, rule, proxyUrl);
        else CheckRegex(section, rule);
        return rule;
    }

    private static void CheckMatch(YamlSection section, RuleOptions rule, string? proxyUrl)
    {
        if (!RepositoryPattern.TryParse(rule.Match!, out _, out var fault)) section.Fault("match", fault);
        if (rule.Replace is not null) section.Fault("replace", "goes with matchRegex; match has target");
        if (rule.Target is null && proxyUrl is null) section.Fault("target", "is missing, and there is no proxyUrl that could stand for it");
    }

    private static void CheckRegex(YamlSection section, RuleOptions rule)
    {
        var regex = PatternText.CompileWhole(rule.MatchRegex!, out var fault);
        if (regex is null) section.Fault("matchRegex", fault!);
        if (rule.Target is not null) section.Fault("target", "goes with match; matchRegex has replace");
        if (rule.Replace is null) section.Fault("replace", "is missing: the new reference, such as 'localhost:5000/$1'");
        else if (RuleReplacement.FaultOf(rule.Replace, regex) is { } wrong) section.Fault("replace", wrong);
    }
}
