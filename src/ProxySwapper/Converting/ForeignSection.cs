using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Converting;

/// <summary>
/// A mapping in another tool's file. Keys that are never read have no counterpart; <see cref="LeaveOutUnread"/> reports them, so that
/// nothing is dropped silently.
/// </summary>
internal sealed class ForeignSection(ConversionNotes notes, string path, YamlMappingNode mapping)
{
    private readonly Dictionary<string, YamlNode> _values = Index(mapping);
    private readonly HashSet<string> _read = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The keys as written, in order.</summary>
    public IEnumerable<string> Keys => mapping.Children.Keys.Select(NameOf);

    public bool Has(string key) => Find(key) is not null;

    public string? String(string key) =>
        Take(key) switch
        {
            null => null,
            YamlScalarNode { Value: { } text } => text,
            var node => Reject<string?>(key, node, "must be a string"),
        };

    public bool? Boolean(string key) =>
        String(key)?.ToLowerInvariant() switch
        {
            null => null,
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => Reject<bool?>(key, Find(key)!, "must be true or false"),
        };

    /// <summary>A list of strings, or a single string; empty if missing.</summary>
    public IReadOnlyList<string> Strings(string key) =>
        Take(key) switch
        {
            null => [],
            YamlScalarNode { Value: { } text } => [text],
            YamlSequenceNode list when list.All(item => item is YamlScalarNode { Value: not null }) =>
            [
                .. list.Select(item => ((YamlScalarNode)item).Value!),
            ],
            var node => Reject<IReadOnlyList<string>>(key, node, "must be a list of strings") ?? [],
        };

    public ForeignSection? Section(string key) =>
        Take(key) switch
        {
            null => null,
            YamlMappingNode inner => new ForeignSection(notes, PathOf(key), inner),
            var node => Reject<ForeignSection?>(key, node, "must be a mapping"),
        };

    /// <summary>A list of mappings; empty if missing.</summary>
    public IReadOnlyList<ForeignSection> Sections(string key) =>
        Take(key) switch
        {
            null => [],
            YamlSequenceNode list when list.All(item => item is YamlMappingNode) =>
            [
                .. list.Select((item, index) => new ForeignSection(notes, $"{PathOf(key)}[{index}]", (YamlMappingNode)item)),
            ],
            var node => Reject<IReadOnlyList<ForeignSection>>(key, node, "must be a list of mappings") ?? [],
        };

    /// <summary>
    /// Reports that the value of a key is not converted, if there is one; an empty key stands for the whole section. Where the key itself
    /// is what matters, such as a repository's name, use <see cref="Report"/>.
    /// </summary>
    public void LeaveOut(string key, string message)
    {
        if (key.Length == 0)
            notes.LeaveOut(path, mapping, message);
        else if (Take(key) is { } node)
            notes.LeaveOut(PathOf(key), node, message);
    }

    /// <summary>Reports what is lost or different at a key that the file has, also if its value is empty.</summary>
    public void Report(string key, string message)
    {
        _read.Add(key);
        notes.LeaveOut(PathOf(key), _values.GetValueOrDefault(key) ?? mapping, message);
    }

    /// <summary>Ignores keys that are irrelevant here, such as a Pod's resources.</summary>
    public void Skip(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            _read.Add(key);
    }

    /// <summary>Reports every key that was not read.</summary>
    public void LeaveOutUnread()
    {
        foreach (var (key, value) in mapping.Children)
            if (!_read.Contains(NameOf(key)) && !IsEmpty(value))
                notes.LeaveOut(PathOf(NameOf(key)), key, "has no counterpart");
    }

    public void Fault(string key, string message) => notes.Fault(PathOf(key), Find(key) ?? mapping, message);

    private YamlNode? Take(string key)
    {
        _read.Add(key);
        return Find(key);
    }

    private YamlNode? Find(string key) => _values.GetValueOrDefault(key) is { } node && !IsEmpty(node) ? node : null;

    private T? Reject<T>(string key, YamlNode node, string message)
    {
        notes.Fault(PathOf(key), node, message);
        return default;
    }

    private string PathOf(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static bool IsEmpty(YamlNode node) =>
        node switch
        {
            YamlScalarNode scalar => scalar.Value is null or "" or "~" or "null",
            YamlMappingNode inner => inner.Children.Count == 0,
            YamlSequenceNode list => list.Children.Count == 0,
            _ => false,
        };

    private static Dictionary<string, YamlNode> Index(YamlMappingNode mapping)
    {
        var values = new Dictionary<string, YamlNode>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in mapping.Children)
            values.TryAdd(NameOf(key), value);
        return values;
    }

    private static string NameOf(YamlNode key) => (key as YamlScalarNode)?.Value ?? "";
}
