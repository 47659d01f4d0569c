using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>
/// Finds rules that send two images to one name. Anyone who can push to one of the two could then replace the other for the whole cluster,
/// so such rules are rejected unless the target contains the registry's name or the rule accepts the risk. Patterns are compared as
/// written. A regular expression has to be of one registry, or its replacement has to keep the registry's name; whether two repositories or
/// two rules share a target is tested with sample images, also with those whose names the other rules could make equal.
/// </summary>
internal static class SharedTargetCheck
{
    public static void Check(IReadOnlyList<(YamlSection Section, RuleOptions Rule)> rules, string? proxyUrl)
    {
        var checkedRules = new List<CheckedRule>();
        foreach (var (section, rule) in rules)
            if (CheckedRule.Create(section, rule, proxyUrl) is { } usable)
                checkedRules.Add(usable);
        var samples = CollisionSamples.Of(checkedRules);
        var sources = new Dictionary<string, (CheckedRule Rule, ImageReference Image)>(StringComparer.Ordinal);
        foreach (var (index, rule) in checkedRules.Index())
        {
            if (rule.IsAllowed)
                continue;
            var sampled = SharedBySamples(rule, samples, sources);
            if (rule is { KeepsRegistry: false, Match.IsOneRegistry: false })
                rule.Reject($"{rule.Key} matches images of more than one registry, and the target does not contain the registry's name");
            else if (rule.SeparationFault is { } fault)
                rule.Reject(fault);
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
}
