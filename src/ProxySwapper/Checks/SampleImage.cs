using System.Text.RegularExpressions;
using ProxySwapper.Configuration;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Checks;

/// <summary>An image that a check uses, with the rules' decision.</summary>
internal sealed partial record SampleImage(string Image, ImageDecision Decision)
{
    /// <summary>The maximum number of images in the Pod.</summary>
    public const int Maximum = 50;

    /// <summary>Replaces wildcards; no image has this name, and a dry run pulls none.</summary>
    private const string Name = "proxyswapper-check";

    /// <summary>One image for each rule that applies in a namespace, in addition to the given ones.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="namespace">The namespace of the Pod.</param>
    /// <param name="given">Images to use in any case.</param>
    /// <param name="untried">Receives the rules without a known image.</param>
    public static IReadOnlyList<SampleImage> Of(
        ProxySwapperOptions options,
        string @namespace,
        IReadOnlyList<string> given,
        List<string> untried
    )
    {
        var rules = RuleSet.Compile(options);
        var samples = given.Select(image => new SampleImage(image, rules.Evaluate(image, @namespace))).ToList();
        var tried = samples.Select(sample => sample.Decision.Rule).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var all =
            options.Rules.Count == 0 && options.ProxyUrl is not null
                ? [("proxyUrl", ImagesOf(RegistryName.DockerHubText))]
                : options.Rules.Select(
                    (rule, index) =>
                        (Name: $"rules[{index}]", Images: rule.MatchRegex is { } regex ? ImagesOfExpression(regex) : ImagesOf(rule.Match))
                );
        foreach (var (rule, images) in all.Where(rule => !tried.Contains(rule.Item1)))
        {
            var sample = images
                .Select(image => new SampleImage(image, rules.Evaluate(image, @namespace)))
                .FirstOrDefault(sample => sample.Decision.IsRewritten && sample.Decision.Rule == rule);
            if (sample is not null)
                samples.Add(sample);
            else
                untried.Add(rule);
        }
        untried.AddRange(samples.Skip(Maximum).Select(sample => sample.Decision.Rule ?? sample.Image));
        return [.. samples.Take(Maximum)];
    }

    /// <summary>An image that matches a pattern.</summary>
    private static IEnumerable<string> ImagesOf(string? match) =>
        match is not null && RepositoryPattern.TryParse(match, out var pattern, out _)
            ?
            [
                $"{Filled(pattern.Registry, "registry.example.com")}/"
                    + $"{string.Join('/', pattern.Segments.Select(part => Filled(part, Name)))}:latest",
            ]
            : [];

    /// <summary>Images that a regular expression may match: with the text that it begins with, and a tag, a digest or neither.</summary>
    private static IEnumerable<string> ImagesOfExpression(string regex)
    {
        var start = LiteralStart().Match(regex).Groups["literal"];
        var text = string.Concat(start.Captures.Select(literal => literal.Value.Trim('\\', '[', ']')));
        if (!text.Contains('/', StringComparison.Ordinal))
            return [];
        return new[] { "", Name, $"{Name}/{Name}" }
            .SelectMany(rest => new[] { $"{text}{rest}:latest", text + rest, $"{text}{rest}@sha256:{new string('0', 64)}" })
            .Where(image => ImageReference.TryParse(image, out _));
    }

    /// <summary>
    /// Letters, dots and escaped punctuation, which match themselves, unless a quantifier follows; groups may begin and end among them, and
    /// of several alternatives in a group, the first is taken.
    /// </summary>
    [GeneratedRegex(
        @"^\^?(?:\((?:\?:)?(?!\?)|\|[^()]*(?=\))|\)(?![?*+{])|(?<literal>[a-z0-9/:_.-]|\\[./-]|\[\.\])(?![?*+{]))*",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex LiteralStart();

    private static string Filled(string part, string any) => part is "**" or "*" ? any : part.Replace("*", Name, StringComparison.Ordinal);
}
