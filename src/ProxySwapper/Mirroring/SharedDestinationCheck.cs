using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Finds images with one destination that differ in what a tag of it would be: another source, or other platforms of one source. Which of
/// them a tag has would depend on the order of the copies, and with <c>replace-tag</c> it would change in every run. They are rejected
/// unless no tag can be selected by both, or the entry accepts the risk.
/// </summary>
internal static class SharedDestinationCheck
{
    public static void Check(IReadOnlyList<(YamlSection Section, MirrorImage Image)> entries)
    {
        foreach (var shared in entries.GroupBy(entry => entry.Image.Destination.Name, StringComparer.Ordinal))
        {
            var earlier = new Earlier();
            foreach (var (section, image) in shared)
            {
                if (image.AllowSharedDestination)
                    continue;
                var entry = new Entry(image, ContentOf(image), new TagOverlap(image.Filter));
                if (earlier.FindConflict(entry) is { } first)
                    Reject(section, image, first);
                earlier.Add(entry);
            }
        }
    }

    /// <summary>Images of the same content give a tag the same digest.</summary>
    private static string ContentOf(MirrorImage image) =>
        $"{image.Source.Name} {string.Join(' ', image.Platforms.Select(platform => platform.ToString()).Order(StringComparer.Ordinal))}";

    private static void Reject(YamlSection section, MirrorImage image, MirrorImage first) =>
        section.Fault(
            section.Has("destination") ? "destination" : "downstream",
            $"is also the destination of images.{first.Name}, "
                + (first.Source == image.Source ? "with other platforms" : $"whose source is {first.Source.Name}")
                + ": equal tags would overwrite each other. Use another destination, select tags that cannot be equal (tags.allow, "
                + "compatibility, pinned-major, semverRange), or set allow-shared-destination: true"
        );

    /// <param name="Image">An image.</param>
    /// <param name="Content">What gives its tags their digests.</param>
    /// <param name="Tags">Its selection.</param>
    private sealed record Entry(MirrorImage Image, string Content, TagOverlap Tags);

    /// <summary>
    /// The images of one destination until now. Those that list their tags are only compared with each other where they list the same one:
    /// a file may have thousands.
    /// </summary>
    private sealed class Earlier
    {
        private readonly List<Entry> _patterns = [];
        private readonly List<Entry> _lists = [];
        private readonly Dictionary<string, List<Entry>> _byTag = new(StringComparer.Ordinal);

        public MirrorImage? FindConflict(Entry entry)
        {
            if (FindConflict(_patterns, entry) is { } first)
                return first;
            if (entry.Tags.Listed is not { } tags)
                return FindConflict(_lists, entry);
            foreach (var tag in tags)
                if (_byTag.TryGetValue(tag, out var same) && FindConflict(same, entry) is { } other)
                    return other;
            return null;
        }

        public void Add(Entry entry)
        {
            (entry.Tags.Listed is null ? _patterns : _lists).Add(entry);
            foreach (var tag in entry.Tags.Listed ?? new HashSet<string>())
            {
                if (!_byTag.TryGetValue(tag, out var same))
                    _byTag[tag] = same = [];
                same.Add(entry);
            }
        }

        private static MirrorImage? FindConflict(List<Entry> others, Entry entry) =>
            others.Find(other => other.Content != entry.Content && other.Tags.IsPossible(entry.Tags))?.Image;
    }
}
