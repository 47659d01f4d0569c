using System.Collections.Concurrent;
using System.Collections.Frozen;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Rules;

/// <summary>All rules of one configuration, compiled once and immutable: a reload creates a new set.</summary>
internal sealed class RuleSet
{
    /// <summary>Limits of the decision cache, in entries and key length: a cluster has many Pods and few images.</summary>
    private const int MaximumRemembered = 1000;
    private const int MaximumRememberedLength = 512;

    private readonly ConcurrentDictionary<(string Image, string Namespace), ImageDecision> _remembered = [];

    private readonly Rule[] _rules;
    private readonly ImagePattern[] _ignoredImages;
    private readonly string[] _ignoredNamespaces;
    private readonly (string Group, string Kind)[] _ignoredOwners;
    private readonly FrozenSet<RegistryName> _registries;
    private readonly string? _proxyPrefix;

    private RuleSet(ProxySwapperOptions options, Rule[] rules, ImagePattern[] ignoredImages) =>
        (Options, _rules, _ignoredImages, _ignoredNamespaces, _ignoredOwners, _registries, _proxyPrefix) = (
            options,
            rules,
            ignoredImages,
            [.. options.IgnoreNamespaces],
            [.. options.IgnoreOwners.Select(owner => owner.Split('/')).Select(parts => (parts[0], parts[1]))],
            RegistriesOf(options),
            options.ProxyUrl is { } proxyUrl ? TargetPrefix.PrefixOf(proxyUrl) : null
        );

    public ProxySwapperOptions Options { get; }

    /// <summary>Compiles options that <see cref="ConfigurationReader"/> has validated.</summary>
    public static RuleSet Compile(ProxySwapperOptions options) =>
        new(
            options,
            Rule.Compile(options),
            [
                .. options.IgnoreImages.Select(text =>
                    ImagePattern.TryParse(text, out var pattern, out var fault)
                        ? pattern
                        : throw new ArgumentException(fault, nameof(options))
                ),
            ]
        );

    /// <summary>Decides on one image. Never throws and does no I/O.</summary>
    public ImageDecision Evaluate(string image, string @namespace)
    {
        if (_remembered.TryGetValue((image, @namespace), out var remembered))
            return remembered;
        var decision = Decide(image, @namespace);
        if (image.Length + @namespace.Length > MaximumRememberedLength)
            return decision;
        if (_remembered.Count >= MaximumRemembered)
            _remembered.Clear();
        _remembered[(image, @namespace)] = decision;
        return decision;
    }

    /// <summary>Whether the Pods of a kind of controller are left unchanged.</summary>
    /// <param name="group">Its API group; empty for the core group.</param>
    /// <param name="kind">Its kind.</param>
    public bool IgnoresOwner(ReadOnlySpan<char> group, string kind)
    {
        foreach (var (ignoredGroup, ignoredKind) in _ignoredOwners)
            if (Wildcard.IsMatch(ignoredGroup, group) && Wildcard.IsMatch(ignoredKind, kind))
                return true;
        return false;
    }

    /// <summary>The public registries, and those that rules name.</summary>
    public IReadOnlyCollection<RegistryName> Registries => _registries;

    private const string OtherRegistries = "other";

    /// <summary>
    /// A registry's name as a metric label: the public registries and those that the configuration names, so that there are few values.
    /// </summary>
    public string MetricNameOf(ImageReference? image) =>
        image is not null && _registries.Contains(image.Registry) ? image.Registry.Text : OtherRegistries;

    /// <summary>All values of <see cref="MetricNameOf"/>.</summary>
    public string[] MetricNames => [.. _registries.Select(name => name.Text).Order(StringComparer.Ordinal), OtherRegistries];

    private ImageDecision Decide(string image, string @namespace)
    {
        if (Options.PlaceholderImages.Contains(image))
            return new(image, DecisionReason.IgnoredImage, null, null, null, null);
        if (!ImageReference.TryParse(image, out var parsed, out var fault))
            return Unchanged(image, DecisionReason.Invalid, null, null, fault);
        var source = parsed.WithDefaultTag();
        if (IsIgnored(@namespace))
            return new(image, DecisionReason.IgnoredNamespace, source, null, null, null);
        var text = source.ToString();
        foreach (var rule in _rules)
            if (rule.IsTarget(text))
                return new(image, DecisionReason.AlreadyAtTarget, source, null, rule.Name, null) { Populate = rule.Populate };
        // Even if no rule uses it any more: Pods that were rewritten before there were rules keep their images.
        if (_proxyPrefix is not null && text.StartsWith(_proxyPrefix, StringComparison.Ordinal))
            return new(image, DecisionReason.AlreadyAtTarget, source, null, "proxyUrl", null);
        foreach (var pattern in _ignoredImages)
            if (pattern.IsMatch(source))
                return new(image, DecisionReason.IgnoredImage, source, null, null, null);
        foreach (var rule in _rules)
            if (rule.MatchesNamespace(@namespace) && rule.TargetOf(source, text) is { } target)
                return Decide(image, source, rule, target);
        return new(image, DecisionReason.NoRule, source, null, null, null);
    }

    private static ImageDecision Decide(string image, ImageReference source, Rule rule, string target) =>
        ImageReference.TryParse(target, out var parsed, out var fault)
            ? new(image, DecisionReason.Rewritten, source, parsed, rule.Name, null)
            {
                Populate = rule.Populate,
                PullSecret = rule.PullSecret,
                IsTargetShared = rule.IsTargetShared,
            }
            : Unchanged(
                image,
                DecisionReason.InvalidTarget,
                source,
                rule.Name,
                $"{rule.Name} would make it '{Truncation.ShortenImage(target)}', which is not a valid reference: {fault}"
            );

    private static ImageDecision Unchanged(string image, DecisionReason reason, ImageReference? source, string? rule, string fault) =>
        new(image, reason, source, null, rule, $"image '{Truncation.ShortenImage(image)}' left unchanged: {fault}") { Fault = fault };

    private static FrozenSet<RegistryName> RegistriesOf(ProxySwapperOptions options) =>
        options
            .Rules.SelectMany(rule => new[] { rule.Match, rule.Target, rule.Replace })
            .Append(options.ProxyUrl)
            .OfType<string>()
            .Select(TargetPrefix.HostOf)
            .Select(host => RegistryName.TryParse(host, out var name) ? name : (RegistryName?)null)
            .OfType<RegistryName>()
            .Concat(RegistryName.Public)
            .ToFrozenSet();

    private bool IsIgnored(string @namespace)
    {
        foreach (var pattern in _ignoredNamespaces)
            if (Wildcard.IsMatch(pattern, @namespace))
                return true;
        return false;
    }
}
