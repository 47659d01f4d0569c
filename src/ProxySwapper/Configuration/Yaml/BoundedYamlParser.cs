using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// Passes on another parser's events as long as the resulting tree stays small: nesting is limited to <see cref="MaximumDepth"/>, and so is
/// the number of nodes, with aliases counted as their content. Walking the tree by recursion is therefore safe. A scalar that is tagged as
/// a string (<c>!!str 7</c>, or <c>! 7</c>) is passed on in quotes instead, since the library takes a tagged key for another one.
/// </summary>
internal sealed class BoundedYamlParser(IParser inner) : IParser
{
    /// <summary>Maximum nesting of lists and mappings; System.Text.Json has the same limit.</summary>
    public const int MaximumDepth = 64;

    private const int MaximumNodes = 500_000;

    private readonly Stack<Frame> _open = [];
    private readonly Dictionary<AnchorName, Frame> _anchors = [];
    private long _nodes;

    public ParsingEvent? Current { get; private set; }

    public bool MoveNext()
    {
        if (!inner.MoveNext())
            return false;
        Current = inner.Current is Scalar { Tag.IsEmpty: false } tagged && IsString(tagged.Tag) ? Quoted(tagged) : inner.Current;
        switch (Current)
        {
            case DocumentStart:
                _anchors.Clear();
                break;
            case AnchorAlias alias:
                Repeat(alias);
                break;
            case MappingStart or SequenceStart:
                Open((NodeEvent)Current);
                break;
            case MappingEnd or SequenceEnd:
                Close();
                break;
            case Scalar scalar:
                if (!scalar.Anchor.IsEmpty)
                    _anchors[scalar.Anchor] = new Frame { Nodes = 1, IsClosed = true };
                Add(scalar, 1);
                break;
        }
        return true;
    }

    /// <summary>True for the tag of strings, and for the non-specific one (YAML 1.2, 6.9.1), which makes any scalar a string.</summary>
    private static bool IsString(TagName tag) => tag.IsNonSpecific || tag.Value == "tag:yaml.org,2002:str";

    private static Scalar Quoted(Scalar scalar) =>
        new(
            scalar.Anchor,
            TagName.Empty,
            scalar.Value,
            ScalarStyle.DoubleQuoted,
            isPlainImplicit: false,
            isQuotedImplicit: true,
            scalar.Start,
            scalar.End,
            scalar.IsKey
        );

    private void Open(NodeEvent start)
    {
        if (_open.Count == MaximumDepth)
            throw new YamlException(start.Start, start.End, $"nested deeper than {MaximumDepth}");
        var frame = new Frame { Nodes = 1, Height = 1 };
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor] = frame;
        _open.Push(frame);
        Count(start, 1);
    }

    private void Close()
    {
        var frame = _open.Pop();
        frame.IsClosed = true;
        if (!_open.TryPeek(out var parent))
            return;
        parent.Nodes += frame.Nodes;
        parent.Height = Math.Max(parent.Height, frame.Height + 1);
    }

    private void Repeat(AnchorAlias alias)
    {
        // The tree builder rejects unknown anchors.
        if (!_anchors.TryGetValue(alias.Value, out var frame))
            return;
        if (!frame.IsClosed)
            throw new YamlException(alias.Start, alias.End, $"'{alias.Value}' contains itself");
        if (_open.Count + frame.Height > MaximumDepth)
            throw new YamlException(alias.Start, alias.End, $"nested deeper than {MaximumDepth}");
        if (_open.TryPeek(out var parent))
            parent.Height = Math.Max(parent.Height, frame.Height + 1);
        Add(alias, frame.Nodes);
    }

    private void Add(ParsingEvent at, long nodes)
    {
        if (_open.TryPeek(out var parent))
            parent.Nodes += nodes;
        Count(at, nodes);
    }

    private void Count(ParsingEvent at, long nodes)
    {
        _nodes += nodes;
        if (_nodes > MaximumNodes)
            throw new YamlException(at.Start, at.End, $"more than {MaximumNodes} values, with aliases expanded");
    }

    /// <summary>The number of nodes in a list or mapping and how deep they nest, both including itself.</summary>
    private sealed class Frame
    {
        public long Nodes { get; set; }

        public int Height { get; set; }

        public bool IsClosed { get; set; }
    }
}
