using System.Text.Json.Nodes;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>
/// The list <c>registries</c>: one entry for each registry, also if the other tool's file has several for it, such as one for
/// <c>docker.io</c> and one for <c>index.docker.io</c>.
/// </summary>
internal sealed class RegistryEntries
{
    private readonly OrderedDictionary<RegistryName, RegistryEntry> _entries = [];

    /// <summary>The entry of a registry; null, with a note, if the text does not name one.</summary>
    /// <param name="section">Where the other tool's file names the registry.</param>
    /// <param name="key">The key there.</param>
    /// <param name="address">A host with an optional scheme and path.</param>
    public RegistryEntry? Find(ForeignSection section, string key, string address)
    {
        if (!RegistryName.TryParse(RegistryName.HostOfAddress(address, out _), out var name))
        {
            section.Report(key, $"'{address}' is not a registry host: add an entry for it to registries, with its domain or port");
            return null;
        }
        if (!_entries.TryGetValue(name, out var entry))
            _entries.Add(name, entry = new RegistryEntry(name));
        return entry;
    }

    /// <summary>Adds the list to a configuration or mirror file, unless it is empty.</summary>
    public void AddTo(JsonObject file)
    {
        var list = new JsonArray([.. _entries.Values.Where(entry => entry.HasSettings).Select(entry => entry.ToJson())]);
        if (list.Count > 0)
            file["registries"] = list;
    }

    /// <summary>The <c>auth</c> for a cloud provider; null for unknown names.</summary>
    public static string? CloudAuth(string? provider) =>
        provider switch
        {
            "aws" => "ecr",
            "gcp" => "google",
            "azure" => "azure",
            _ => null,
        };
}
