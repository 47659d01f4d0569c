using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>The entries of a mirror file, each with its own name.</summary>
/// <param name="overwriting">How the other tool treats two sources with one destination, and how to avoid it.</param>
internal sealed class MirrorEntries(string overwriting)
{
    private readonly JsonObject _images = [];

    /// <summary>The number of the last entry of each name, from which the search for a free one continues.</summary>
    private readonly Dictionary<string, int> _lastNumbers = new(StringComparer.Ordinal);

    /// <summary>The first repository that is copied to each destination, and its platform, null for all.</summary>
    private readonly Dictionary<string, (string Repository, string? Platform)> _destinations = new(StringComparer.Ordinal);

    /// <summary>
    /// Adds an entry that mirrors all tags and updates them; the caller restricts it. One repository may have several, which add to each
    /// other; another one with the same destination, or another platform, is reported.
    /// </summary>
    /// <param name="section">Where the other tool's file names the source.</param>
    /// <param name="key">The key there.</param>
    /// <param name="source">The repository.</param>
    /// <param name="destination">The repository that it is copied to.</param>
    /// <param name="platform">The only platform that is copied, or null for all.</param>
    public JsonObject Add(ForeignSection section, string key, ImageReference source, string destination, string? platform = null)
    {
        var entry = new JsonObject
        {
            ["source"] = RepositoryOf(source),
            ["destination"] = destination,
            ["mode"] = "all",
            ["replace-tag"] = true,
        };
        if (platform is not null)
            entry["platforms"] = new JsonArray(platform);
        var content = (Repository: RepositoryOf(source), Platform: platform);
        if (!_destinations.TryAdd(destination, content) && _destinations[destination] is var other && other != content)
        {
            entry["allow-shared-destination"] = true;
            section.Report(
                key,
                $"has the same destination {destination} as {Describe(other.Repository, other.Platform)}, so that equal tags overwrite "
                    + $"each other, {overwriting}"
            );
        }
        var name = source.Repository[(source.Repository.LastIndexOf('/') + 1)..];
        var free = name;
        var number = _lastNumbers.GetValueOrDefault(name, 1);
        while (_images.ContainsKey(free))
            free = $"{name}-{++number}";
        _lastNumbers[name] = number;
        _images[free] = entry;
        return entry;
    }

    /// <summary>The whole file.</summary>
    public JsonObject ToFile(RegistryEntries registries)
    {
        var file = new JsonObject { ["images"] = _images };
        registries.AddTo(file);
        return file;
    }

    /// <summary>The expressions that match exactly these tags.</summary>
    public static JsonArray Exactly(IEnumerable<string> tags) => tags.Select(Regex.Escape).ToJson();

    private static string Describe(string repository, string? platform) =>
        platform is null ? repository : $"{repository} with platform {platform}";

    private static string RepositoryOf(ImageReference image) => $"{image.Registry}/{image.Repository}";
}
