using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>The entries of a mirror file, each with its own name.</summary>
internal sealed class MirrorEntries
{
    private readonly JsonObject _images = [];

    /// <summary>Adds an entry that mirrors all tags and updates them; the caller restricts it.</summary>
    public JsonObject Add(ImageReference source, string destination)
    {
        var entry = new JsonObject
        {
            ["source"] = RepositoryOf(source),
            ["destination"] = destination,
            ["mode"] = "all",
            ["replace-tag"] = true,
        };
        var name = source.Repository[(source.Repository.LastIndexOf('/') + 1)..];
        var free = name;
        for (var number = 2; _images.ContainsKey(free); number++)
            free = $"{name}-{number}";
        _images[free] = entry;
        return entry;
    }

    /// <summary>The whole file.</summary>
    public JsonObject ToFile(JsonArray registries)
    {
        var file = new JsonObject { ["images"] = _images };
        if (registries.Count > 0)
            file["registries"] = registries;
        return file;
    }

    /// <summary>The expressions that match exactly these tags.</summary>
    public static JsonArray Exactly(IEnumerable<string> tags) => tags.Select(Regex.Escape).ToJson();

    private static string RepositoryOf(ImageReference image) => $"{image.Registry}/{image.Repository}";
}
