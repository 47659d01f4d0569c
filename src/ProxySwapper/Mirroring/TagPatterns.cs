using System.Text.RegularExpressions;
using ProxySwapper.Patterns;

namespace ProxySwapper.Mirroring;

/// <summary>
/// The patterns of one selection, compiled: for no longer than the selection, since one may take 1 MiB and a file may have
/// thousands. Those that are one tag each are compared as text.
/// </summary>
/// <param name="filter">The tag settings, whose patterns are valid.</param>
internal sealed class TagPatterns(TagFilter filter)
{
    private readonly TagSet _allowed = new(filter.Allow);
    private readonly TagSet _denied = new(filter.Deny);

    /// <summary>Whether the patterns allow a tag.</summary>
    public bool IsAllowed(string tag) => (filter.Allow.Count == 0 || _allowed.Contains(tag)) && !_denied.Contains(tag);

    private sealed class TagSet
    {
        private readonly HashSet<string> _tags = new(StringComparer.Ordinal);
        private readonly List<Regex> _patterns = [];

        public TagSet(IReadOnlyList<string> patterns)
        {
            foreach (var pattern in patterns)
            {
                var starts = TagStart.Of(pattern).ToList();
                if (starts.TrueForAll(start => start.IsOneTag))
                    _tags.UnionWith(starts.Select(start => start.Text));
                else
                    _patterns.Add(SafeRegex.CompileAnchored(pattern, out _)!);
            }
        }

        public bool Contains(string tag) => _tags.Contains(tag) || _patterns.Exists(pattern => pattern.IsMatch(tag));
    }
}
