using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Mirroring;

/// <summary>
/// Finds images with one destination that differ in what a tag of it would be: another source, or other platforms of one source. Which of
/// them a tag has would depend on the order of the copies, and with <c>replace-tag</c> it would change in every run. They are refused
/// unless no tag can be selected by both, or the entry accepts the risk.
/// </summary>
internal static class SharedDestinationCheck
{
    public static void Check(IReadOnlyList<(YamlSection Section, MirrorImage Image)> entries)
    {
        foreach (var shared in entries.GroupBy(entry => entry.Image.Destination.Name, StringComparer.Ordinal))
        {
            var earlier = new Dictionary<string, List<MirrorImage>>(StringComparer.Ordinal);
            foreach (var (section, image) in shared)
            {
                if (image.AllowSharedDestination)
                    continue;
                var content = ContentOf(image);
                if (
                    earlier
                        .Where(others => others.Key != content)
                        .SelectMany(others => others.Value)
                        .FirstOrDefault(other => TagOverlap.IsPossible(other.Filter, image.Filter)) is
                    { } first
                )
                    Reject(section, image, first);
                if (!earlier.TryGetValue(content, out var same))
                    earlier[content] = same = [];
                same.Add(image);
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
}
