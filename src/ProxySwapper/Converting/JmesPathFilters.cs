using System.Text.RegularExpressions;

namespace ProxySwapper.Converting;

/// <summary>
/// k8s-image-swapper's filters: JMESPath expressions over <c>obj</c> and <c>container</c>; images that match one are left unchanged. The
/// expressions of its documentation and similar ones have counterparts among our keys.
/// </summary>
internal sealed partial class JmesPathFilters
{
    private readonly List<string> _images = [];
    private readonly List<string> _namespaces = [];

    public IReadOnlyList<string> IgnoredImages => _images;

    public IReadOnlyList<string> IgnoredNamespaces => _namespaces;

    /// <summary>The only namespaces whose images are rewritten; null for all.</summary>
    public string? OnlyNamespaces { get; private set; }

    /// <summary>Converts an expression; false if it has no counterpart.</summary>
    public bool Add(string expression)
    {
        var alternatives = expression.Split("||", StringSplitOptions.TrimEntries);
        var read = alternatives.Select(Read).ToList();
        if (read.Contains(null) || read.Count(one => one!.IsOnly) > (OnlyNamespaces is null ? 1 : 0))
            return false;
        foreach (var one in read)
            if (one!.IsOnly)
                OnlyNamespaces = one.Pattern;
            else
                (one.IsImage ? _images : _namespaces).Add(one.Pattern);
        return true;
    }

    private static Selection? Read(string expression)
    {
        if (EcrImages().IsMatch(expression))
            return new Selection("*.dkr.ecr.*.amazonaws.com/**", IsImage: true);
        if (Comparison().Match(expression) is { Success: true } comparison)
        {
            var isImage = comparison.Groups["what"].Value == "container.image";
            var isUnequal = comparison.Groups["operator"].Value == "!=";
            return isImage && isUnequal ? null : new Selection(comparison.Groups["text"].Value, isImage, isUnequal);
        }
        if (Function().Match(expression) is not { Success: true } function)
            return null;
        var text = function.Groups["text"].Value;
        var isOnly = function.Groups["not"].Success;
        if (function.Groups["what"].Value == "container.image")
            return !isOnly && function.Groups["name"].Value == "starts_with" && text.EndsWith('/')
                ? new Selection($"{text}**", IsImage: true)
                : null;
        var pattern = function.Groups["name"].Value switch
        {
            "starts_with" => $"{text}*",
            "ends_with" => $"*{text}",
            _ => $"*{text}*",
        };
        return new Selection(pattern, IsOnly: isOnly);
    }

    private const string Literal = """(?:'(?<text>[^']*)'|`"(?<text>[^"]*)"`|`(?<text>[^`"]*)`)""";

    [GeneratedRegex($@"^(?<what>obj\.metadata\.namespace|container\.image)\s*(?<operator>==|!=)\s*{Literal}$")]
    private static partial Regex Comparison();

    [GeneratedRegex(
        $@"^(?<not>!)?(?<name>starts_with|ends_with|contains)\(\s*(?<what>obj\.metadata\.namespace|container\.image)\s*,\s*{Literal}\s*\)$"
    )]
    private static partial Regex Function();

    [GeneratedRegex(@"^contains\(container\.image,\s*'\.dkr\.ecr\.'\)\s*&&\s*contains\(container\.image,\s*'\.amazonaws\.com'\)$")]
    private static partial Regex EcrImages();

    /// <summary>The images or namespaces that an expression leaves unchanged, or the only ones that it does not.</summary>
    private sealed record Selection(string Pattern, bool IsImage = false, bool IsOnly = false);
}
