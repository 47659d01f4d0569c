using System.Text.Json;
using ProxySwapper.AdmissionPolicies;
using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Mirroring;
using ProxySwapper.Registry;
using YamlDotNet.RepresentationModel;

namespace ProxySwapper.Checks;

/// <summary>What a file is, and what is wrong with it.</summary>
/// <param name="Kinds">What it is: more than one kind if it is valid as each of them.</param>
/// <param name="Faults">What is wrong with it, all of it; empty for a valid file.</param>
internal sealed record FileValidation(IReadOnlyList<FileKind> Kinds, IReadOnlyList<ConfigurationFault> Faults)
{
    private static readonly Dictionary<FileKind, IReadOnlySet<string>> KeysOf = new()
    {
        // Only values are written for helm, which distinguishes upper and lower case.
        [FileKind.Configuration] = KeysIn(ChartValues.Schema.GetProperty("definitions").GetProperty("config"), ignoreCase: true),
        [FileKind.MirrorFile] = ReadMirrorKeys(),
        [FileKind.ChartValues] = KeysIn(ChartValues.Schema, ignoreCase: false),
    };

    /// <summary>Validates a file.</summary>
    /// <param name="file">Its path, for faults.</param>
    /// <param name="text">What it contains.</param>
    /// <param name="kind">What it is; null decides by its keys.</param>
    public static FileValidation Create(string file, string text, FileKind? kind)
    {
        var faults = new List<ConfigurationFault>();
        if (YamlDocumentReader.ReadMapping(file, text, faults) is not { } root)
            return new([kind ?? FileKind.Configuration], faults);
        var results = (kind is { } given ? [given] : CandidatesOf(root))
            .Select(candidate => new FileValidation([candidate], Validate(candidate, file, text, root)))
            .ToList();
        // Keys such as proxyUrl are of several kinds; the file is what it fits best.
        var best = results.MinBy(result => result.Faults.Count)!;
        return best.Faults.Count > 0
            ? best
            : best with
            {
                Kinds = [.. results.Where(result => result.Faults.Count == 0).SelectMany(result => result.Kinds)],
            };
    }

    /// <summary>The kinds that have the most of a file's keys.</summary>
    private static IReadOnlyList<FileKind> CandidatesOf(YamlMappingNode root)
    {
        if (root.Children.Count == 0)
            return [FileKind.Configuration];
        var names = root.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "").ToList();
        var known = KeysOf.GroupBy(kind => names.Count(kind.Value.Contains), kind => kind.Key).MaxBy(group => group.Key)!;
        return known.Key == 0 ? [FileKind.Configuration] : [.. known];
    }

    private static IReadOnlyList<ConfigurationFault> Validate(FileKind kind, string file, string text, YamlMappingNode root)
    {
        try
        {
            switch (kind)
            {
                case FileKind.ChartValues:
                    return ChartValues.Validate(file, root);
                case FileKind.MirrorFile:
                    MirrorFileReader.ReadText(file, text);
                    return [];
                default:
                    var options = ConfigurationReader.ReadText(file, text, EnvironmentVariables.None);
                    // serve does not start either with a policy that cannot express the rules.
                    new ServedPolicy().Apply(file, text, EnvironmentVariables.None, options);
                    return [];
            }
        }
        catch (ConfigurationException exception)
        {
            return exception.Faults;
        }
    }

    private static HashSet<string> KeysIn(JsonElement schema, bool ignoreCase) =>
        schema
            .GetProperty("properties")
            .EnumerateObject()
            .Select(property => property.Name)
            .ToHashSet(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);

    /// <summary>The keys that the reader of mirror files asks for.</summary>
    private static IReadOnlySet<string> ReadMirrorKeys()
    {
        var section = new YamlSection(new YamlSource("", []), "", new YamlMappingNode());
        MirrorFileReader.ReadSection(section);
        return section.KnownKeys;
    }
}
