using System.Globalization;
using ProxySwapper.Patterns;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// A mapping of a YAML file, read key by key. Keys match case-insensitively; an invalid value becomes a fault and reads as missing, and
/// nothing else is reported about its key, such as that it is required; <see cref="RejectUnknownKeys"/> reports the keys that nothing has
/// read.
/// </summary>
internal sealed class YamlSection(YamlSource source, string path, YamlMappingNode mapping)
{
    private readonly Dictionary<string, YamlNode> _values = Index(source, path, mapping);
    private readonly SortedSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _rejected = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The keys as written, in order.</summary>
    public IEnumerable<string> Keys => mapping.Children.Keys.Select(NameOf);

    /// <summary>The keys that have been read: all valid ones, once the section has been read.</summary>
    public IReadOnlySet<string> KnownKeys => _known;

    /// <summary>The path of this section, such as <c>rules[1]</c>.</summary>
    public string Place => path;

    public bool Has(string key) => Take(key) is not null;

    public string? String(string key) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: { } value } => value,
            var node => Reject<string?>(key, node, "must be a string"),
        };

    /// <summary>A file path; whether the file exists is checked by the code that reads it.</summary>
    public string? Path(string key)
    {
        if (String(key) is not { } path)
            return null;
        if (path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal))
            return path;
        Fault(key, "must be a file path");
        return null;
    }

    /// <summary>A boolean, also in the YAML 1.1 forms that many files still use: <c>yes</c>, <c>on</c>.</summary>
    public bool? Boolean(string key) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" } => true,
            YamlScalarNode { Value: "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" } => false,
            var node => Reject<bool?>(key, node, "must be true or false"),
        };

    public int? Integer(string key, int minimum, int maximum) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: { } text }
                when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                    && value >= minimum
                    && value <= maximum => value,
            var node => Reject<int?>(key, node, $"must be an integer from {minimum} to {maximum}"),
        };

    public double? Number(string key, double minimum, double maximum) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: { } text }
                when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                    && value >= minimum
                    && value <= maximum => value,
            var node => Reject<double?>(
                key,
                node,
                string.Create(CultureInfo.InvariantCulture, $"must be a number from {minimum} to {maximum}")
            ),
        };

    /// <summary>A duration as Go and Kubernetes write it: <c>500ms</c>, <c>8s</c>, <c>1m30s</c>, <c>1h</c>; <c>0</c> for none.</summary>
    public TimeSpan? Duration(string key, TimeSpan minimum, TimeSpan maximum) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: { } text } when DurationParser.TryParse(text, out var value) && value >= minimum && value <= maximum =>
                value,
            var node => Reject<TimeSpan?>(
                key,
                node,
                "must be a duration such as 500ms, 8s, 1m30s or 1h, from "
                    + $"{DurationParser.Format(minimum)} to {DurationParser.Format(maximum)}"
            ),
        };

    /// <summary>An enum member, written in camelCase.</summary>
    public T? Choice<T>(string key)
        where T : struct, Enum
    {
        var node = Take(key);
        if (node is null)
            return null;
        var names = Enum.GetNames<T>();
        // By name only: Enum.TryParse also takes numbers, and several names at once.
        if (
            node is YamlScalarNode { Value: { } text }
            && names.Contains(text.Trim(), StringComparer.OrdinalIgnoreCase)
            && Enum.TryParse<T>(text, ignoreCase: true, out var value)
        )
            return value;
        var allowed = names.Select(ConfigurationValue.Of);
        return Reject<T?>(key, node, $"must be one of {string.Join(", ", allowed)}");
    }

    /// <summary>A list of strings; a single string counts as a list of one. Empty when missing.</summary>
    /// <param name="key">The list's key.</param>
    /// <param name="validate">Returns what is wrong with an item, or null; every invalid item is reported.</param>
    public IReadOnlyList<string> Strings(string key, Func<string, string?>? validate = null)
    {
        var node = Take(key);
        return Items<YamlScalarNode, string>(
            key,
            node is YamlScalarNode ? new YamlSequenceNode(node) : node,
            "a string",
            (item, path) =>
            {
                if (validate?.Invoke(item.Value!) is { } fault)
                    source.Report(path, item, fault);
                return item.Value!;
            }
        );
    }

    /// <summary>A nested mapping, or null when missing.</summary>
    public YamlSection? Section(string key) =>
        Take(key) switch
        {
            null => null,
            YamlMappingNode inner => new YamlSection(source, PathOf(key), inner),
            var node => Reject<YamlSection?>(key, node, "must be a mapping of keys to values"),
        };

    /// <summary>A list of mappings. Empty when missing.</summary>
    public IReadOnlyList<YamlSection> Sections(string key) =>
        Items<YamlMappingNode, YamlSection>(key, Take(key), "a mapping", (item, path) => new YamlSection(source, path, item));

    /// <summary>A mapping of arbitrary names to strings, such as labels. Empty when missing.</summary>
    public IReadOnlyDictionary<string, string> Map(string key) =>
        Take(key) switch
        {
            null => new Dictionary<string, string>(),
            YamlMappingNode inner
                when inner.Children.All(pair => pair is { Key: YamlScalarNode, Value: YamlScalarNode { Value: not null } }) =>
                inner.Children.ToDictionary(pair => NameOf(pair.Key), pair => ((YamlScalarNode)pair.Value).Value!),
            var node => Reject<IReadOnlyDictionary<string, string>>(key, node, "must be a mapping of names to strings")
                ?? new Dictionary<string, string>(),
        };

    /// <summary>Reports a fault at a key's value, or at this section when the key is missing.</summary>
    public void Fault(string key, string message)
    {
        if (!_rejected.Contains(key))
            Report(key, _values.GetValueOrDefault(key) ?? mapping, message);
    }

    /// <summary>Reports every key that no method has read. Call it last.</summary>
    public void RejectUnknownKeys()
    {
        foreach (var (name, value) in mapping.Children)
            if (!_known.Contains(NameOf(name)))
                source.Report(path, name, $"unknown key '{NameOf(name)}'; valid keys are {string.Join(", ", _known)}");
    }

    /// <summary>True for an empty value and for YAML's null.</summary>
    public static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private YamlNode? Take(string key)
    {
        _known.Add(key);
        var node = _values.GetValueOrDefault(key);
        // A key without a value, or with null, reads as missing.
        return node is null || IsNull(node) ? null : node;
    }

    /// <summary>The items of the expected kind; all others are reported.</summary>
    private List<T> Items<TNode, T>(string key, YamlNode? node, string kind, Func<TNode, string, T> read)
        where TNode : YamlNode
    {
        var items = new List<T>();
        if (node is not (null or YamlSequenceNode))
            Reject<string>(key, node, $"must be a list, each item {kind}");
        foreach (var (index, item) in (node as YamlSequenceNode ?? []).Index())
            if (item is TNode and not YamlScalarNode { Value: null })
                items.Add(read((TNode)item, $"{PathOf(key)}[{index}]"));
            else
            {
                _rejected.Add(key);
                Report($"{key}[{index}]", item, $"must be {kind}");
            }
        return items;
    }

    private T? Reject<T>(string key, YamlNode node, string message)
    {
        _rejected.Add(key);
        Report(key, node, message);
        return default;
    }

    private void Report(string key, YamlNode node, string message) => source.Report(PathOf(key), node, message);

    private string PathOf(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string NameOf(YamlNode key) => (key as YamlScalarNode)?.Value ?? "";

    private static Dictionary<string, YamlNode> Index(YamlSource source, string path, YamlMappingNode mapping)
    {
        var values = new Dictionary<string, YamlNode>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in mapping.Children)
            if (!values.TryAdd(NameOf(key), value))
                source.Report(path.Length == 0 ? NameOf(key) : $"{path}.{NameOf(key)}", key, "duplicate key");
        return values;
    }
}
