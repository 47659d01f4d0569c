using ProxySwapper.Patterns;
using ProxySwapper.Registry;

namespace ProxySwapper.Configuration;

/// <summary>Images by which rules with regular expressions are tested for targets that two repositories share.</summary>
internal static class CollisionSamples
{
    private const int Maximum = 4_000;
    private const int MaximumTexts = 200;
    private const int MaximumTextsInAll = 4_000;

    private static readonly IReadOnlyList<RegistryName> Registries =
    [
        .. RegistryName.Public,
        RegistryName.Parse("a.example.com"),
        RegistryName.Parse("b.example.com"),
    ];

    /// <summary>Names of one to three parts that end alike, with the same tags.</summary>
    private static readonly string[] Paths =
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

    /// <summary>Sample images of every form, and those that the rules name; none without a regular expression.</summary>
    public static IReadOnlyList<ImageReference> Of(IReadOnlyList<CheckedRule> rules)
    {
        // The first texts of every rule before the others, since there is a limit.
        var share = Math.Min(MaximumTexts, MaximumTextsInAll / Math.Max(1, rules.Count(rule => rule.Branches is not null)));
        var texts = rules.SelectMany(rule => TextsOf(rule, share).Index()).OrderBy(text => text.Index).Select(text => text.Item).ToList();
        if (texts.Count == 0)
            return [];
        var registries = texts
            .Select(text => text[..Math.Max(0, text.IndexOf('/', StringComparison.Ordinal))])
            .Concat(rules.Select(rule => rule.Match?.Registry).OfType<string>())
            .Select(host => RegistryName.IsRegistry(host) && RegistryName.TryParse(host, out var name) ? name : (RegistryName?)null)
            .OfType<RegistryName>()
            .Concat(Registries)
            .Distinct()
            .ToList();
        var paths = texts
            .Select(text => text[(text.IndexOf('/', StringComparison.Ordinal) + 1)..].Trim('/', '.', '-'))
            .Where(text => text.Length > 0)
            .SelectMany(text => new[] { text, $"{text}:1.0", $"{text}/app:1.0", $"{text}.0" });
        var images = ImagesOf(Paths.Concat(paths), registries);
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

    private static IEnumerable<string> TextsOf(CheckedRule rule, int maximum) =>
        rule.Branches is { } branches
            ? branches.All.SelectMany(branch => branch.Samples()).Take(maximum).Where(text => text.Length <= PortableRegex.MaximumLength)
            : [];

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
                .Take(Maximum),
        ];
    }
}
