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
            var images = shared
                .Where(entry => !entry.Image.AllowSharedDestination)
                .Select(
                    (entry, index) =>
                        new Entry(index, entry.Section, entry.Image, ContentOf(entry.Image), new TagOverlap(entry.Image.Filter))
                )
                .ToList();
            var earlier = new Earlier(images);
            foreach (var entry in images)
            {
                if (earlier.FindConflict(entry) is { } first)
                    Reject(entry.Section, entry.Image, first.Image);
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

    /// <param name="Index">Its position among the images of its destination.</param>
    /// <param name="Section">Where it is written.</param>
    /// <param name="Image">An image.</param>
    /// <param name="Content">What gives its tags their digests.</param>
    /// <param name="Tags">Its selection.</param>
    private sealed record Entry(int Index, YamlSection Section, MirrorImage Image, string Content, TagOverlap Tags);

    /// <summary>
    /// The images of one destination until now. Those that list their tags are only compared with each other where they list the same one:
    /// a file may have thousands.
    /// </summary>
    private sealed class Earlier
    {
        private readonly List<Entry> _patterns = [];
        private readonly Dictionary<string, List<Entry>> _byTag = new(StringComparer.Ordinal);

        /// <summary>For each image, the first earlier one that conflicts with it, where only one of the two lists its tags.</summary>
        private readonly Dictionary<int, Entry> _mixed = [];

        public Earlier(List<Entry> images)
        {
            var lists = images.Where(image => image.Tags.Listed is not null).ToList();
            foreach (var image in images.Where(image => image.Tags.Listed is null))
            {
                // One after the other, so that the patterns of one image alone are compiled at a time.
                var patterns = new Lazy<TagPatterns>(() => new TagPatterns(image.Image.Filter));
                foreach (var list in lists)
                    if (list.Content != image.Content && image.Tags.IsPossible(list.Tags, patterns))
                        _mixed.TryAdd(Math.Max(list.Index, image.Index), list.Index < image.Index ? list : image);
            }
        }

        public Entry? FindConflict(Entry entry)
        {
            var mixed = _mixed.GetValueOrDefault(entry.Index);
            if (entry.Tags.Listed is not { } tags)
                return FindConflict(_patterns, entry) ?? mixed;
            if (mixed is not null)
                return mixed;
            foreach (var tag in tags)
                if (_byTag.TryGetValue(tag, out var same) && FindConflict(same, entry) is { } other)
                    return other;
            return null;
        }

        public void Add(Entry entry)
        {
            if (entry.Tags.Listed is null)
                _patterns.Add(entry);
            foreach (var tag in entry.Tags.Listed ?? new HashSet<string>())
            {
                if (!_byTag.TryGetValue(tag, out var same))
                    _byTag[tag] = same = [];
                same.Add(entry);
            }
        }

        private static Entry? FindConflict(List<Entry> others, Entry entry) =>
            others.Find(other => other.Content != entry.Content && other.Tags.IsPossible(entry.Tags));
    }
}
