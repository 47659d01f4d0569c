using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;

namespace ProxySwapper.Mirroring;

/// <summary>Reads a mirror file: replicant's format, including its older names, with our additional keys.</summary>
internal static class MirrorFileReader
{
    /// <exception cref="ConfigurationException">The file is not valid; carries every fault.</exception>
    public static MirrorFile Read(string path) => ReadText(path, ConfigurationReader.TextOf(path));

    /// <param name="file">The file's name, for messages.</param>
    /// <param name="text">What it says.</param>
    /// <exception cref="ConfigurationException">The file is not valid; carries every fault.</exception>
    public static MirrorFile ReadText(string file, string text)
    {
        var faults = new List<ConfigurationFault>();
        var mirror = YamlDocumentReader.Read(file, text, faults) is { } top ? ReadSection(top) : null;
        return faults.Count > 0 ? throw new ConfigurationException(faults) : mirror!;
    }

    /// <summary>A mirror file from a mapping, which may be part of another file; faults are reported to its source.</summary>
    public static MirrorFile ReadSection(YamlSection top)
    {
        var mode = top.Choice<MirrorMode>("mode") ?? MirrorMode.Highest;
        var platforms = PlatformParser.Read(top, "platforms");
        var images = new List<(YamlSection Section, MirrorImage Image)>();
        var section = top.Section("images");
        if (section is null)
            top.Fault("images", "is required: a mapping of names to source and destination");
        foreach (var name in section?.Keys ?? [])
            if (section!.Section(name) is not { } entry)
                section.Fault(name, "must have a source and a destination");
            else if (MirrorImageReader.Read(name, entry, mode, platforms) is { } image)
                images.Add((entry, image));
        SharedDestinationCheck.Check(images);
        var registries = RegistriesSectionReader.Read(top);
        top.RejectUnknownKeys();
        return new MirrorFile([.. images.Select(entry => entry.Image)], registries);
    }
}
