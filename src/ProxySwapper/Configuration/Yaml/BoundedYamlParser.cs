using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ProxySwapper.Configuration.Yaml;

/// <summary>
/// Passes on another parser's events as long as what is built of them stays small: nesting ends at <see cref="MaximumDepth"/>, aliases
/// counted as what they stand for, and so does the number of nodes. Whoever walks the tree by recursion walks safely.
/// </summary>
internal sealed class BoundedYamlParser(IParser inner) : IParser
{
    /// <summary>How deep lists and mappings may be nested; System.Text.Json has the same limit.</summary>
    public const int MaximumDepth = 64;

    private const int MaximumNodes = 500_000;

    private readonly Stack<Frame> _open = [];
    private readonly Dictionary<AnchorName, Frame> _anchors = [];
    private long _nodes;

    public ParsingEvent? Current => inner.Current;

    public bool MoveNext()
    {
        if (!inner.MoveNext())
            return false;
        switch (inner.Current)
        {
            case DocumentStart:
                _anchors.Clear();
                break;
            case AnchorAlias alias:
                Repeat(alias);
                break;
            case MappingStart or SequenceStart:
                Open((NodeEvent)inner.Current);
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
        // An unknown anchor is the tree builder's to refuse.
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
            throw new YamlException(at.Start, at.End, $"more than {MaximumNodes} values, aliases counted as what they stand for");
    }

    /// <summary>A list or mapping: how many nodes it stands for, itself included, and how deep they nest, itself included.</summary>
    private sealed class Frame
    {
        public long Nodes { get; set; }

        public int Height { get; set; }

        public bool IsClosed { get; set; }
    }
}
