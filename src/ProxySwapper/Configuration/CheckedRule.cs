using System.Text.RegularExpressions;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>A rule whose parts are valid.</summary>
internal sealed class CheckedRule
{
    private readonly YamlSection _section;
    private readonly RuleOptions _rule;
    private readonly Regex? _compiled;
    private readonly string? _unsupported;

    private CheckedRule(YamlSection section, RuleOptions rule, RepositoryPattern match, string target) =>
        (_section, _rule, Match, Target, Names) = (section, rule, match, target, TargetPattern.Create(target, match));

    private CheckedRule(YamlSection section, RuleOptions rule, Regex compiled)
    {
        (_section, _rule, _compiled) = (section, rule, compiled);
        if (PortableRegexReader.TryRead(rule.MatchRegex!, out var regex, out _unsupported))
            Branches = RegexBranches.Of(regex, compiled);
    }

    public RepositoryPattern? Match { get; }

    public string? Target { get; }

    /// <summary>The names of its images, for rules with <c>match</c>.</summary>
    public TargetPattern? Names { get; }

    /// <summary>The branches of its regular expression; null without one, or if its syntax is not supported here.</summary>
    public RegexBranches? Branches { get; }

    /// <summary>How its regular expression and replacement give images of two registries the same name; null if they never do.</summary>
    public string? SeparationFault =>
        // A digest names its content, so nobody can put other content there.
        Match is not null
        || ReplacementPattern.IsByDigest(_rule.Replace!)
            ? null
        : Branches is not null ? RegistrySeparation.FaultOf(Branches, ReplacementPart.Read(_rule.Replace!, _compiled!)!)
        : $"matchRegex may match images of more than one registry: {_unsupported} is not supported by this check";

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
            return RepositoryPattern.TryParse(match, out var pattern, out _) ? new CheckedRule(section, rule, pattern, target) : null;
        var regex = rule.MatchRegex is { } text ? SafeRegex.CompileAnchored(text, out _) : null;
        return regex is not null && rule is { Match: null, Replace: { } replace } && ReplacementPattern.Validate(replace, regex) is null
            ? new CheckedRule(section, rule, regex)
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
