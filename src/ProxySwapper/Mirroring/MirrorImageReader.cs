using ProxySwapper.Configuration;
using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Mirroring;

/// <summary>Reads one entry of <c>images</c>.</summary>
internal static class MirrorImageReader
{
    private const int HighestMajor = 1024;

    /// <summary>Reads the entry, or returns null without a valid source or destination; faults are reported through the section.</summary>
    public static MirrorImage? Read(string name, YamlSection entry, MirrorMode defaultMode, IReadOnlyList<Platform> defaultPlatforms)
    {
        var source = Repository(entry, "source", "upstream");
        var destination = Repository(entry, "destination", "downstream");
        var filter = ReadFilter(entry, defaultMode);
        var replaceTag = entry.Boolean("replace-tag") ?? false;
        var platforms = PlatformParser.Read(entry, "platforms");
        var referrers = entry.Boolean("referrers") ?? false;
        var allowSharedDestination = entry.Boolean("allow-shared-destination") ?? false;
        entry.RejectUnknownKeys();
        if (source is null || destination is null)
            return null;
        if (source == destination)
            entry.Fault("destination", "must differ from source");
        return new MirrorImage(name, source, destination)
        {
            Filter = filter,
            ReplaceTag = replaceTag,
            Platforms = platforms.Count > 0 ? platforms : defaultPlatforms,
            Referrers = referrers,
            AllowSharedDestination = allowSharedDestination,
        };
    }

    /// <summary>Reads a repository by its current or its old key.</summary>
    private static ImageReference? Repository(YamlSection entry, string key, string oldKey)
    {
        var (current, old) = (entry.String(key), entry.String(oldKey));
        if (current is not null && old is not null)
        {
            entry.Fault(oldKey, $"is the old name of {key}; remove one of them");
            return null;
        }
        var used = current is null && old is not null ? oldKey : key;
        if ((current ?? old) is not { } text)
        {
            entry.Fault(key, "is required: a repository, such as docker.io/library/nginx");
        }
        else if (!ImageReference.TryParse(text, out var repository, out var fault))
        {
            entry.Fault(used, $"invalid repository '{text}': {fault}");
        }
        else if (RegistryName.ValidateLimits(repository.Registry.Text) is { } limit)
        {
            entry.Fault(used, limit);
        }
        else if (repository.Tag is not null || repository.Digest is not null)
        {
            entry.Fault(used, "must be a repository without tag and digest; tags are selected by mode and tags");
        }
        else
        {
            return repository;
        }
        return null;
    }

    private static TagFilter ReadFilter(YamlSection entry, MirrorMode defaultMode)
    {
        var mode = entry.Choice<MirrorMode>("mode") ?? defaultMode;
        var (allow, deny) = ReadPatterns(entry.Section("tags"));
        var filter = new TagFilter
        {
            Mode = mode,
            AllowPrerelease = entry.Boolean("allow-prerelease") ?? false,
            Compatibility = entry.String("compatibility"),
            PinnedMajor = (ulong?)entry.Integer("pinned-major", 0, HighestMajor),
            SemVerRange = ReadRange(entry),
            HigherFrom = ReadHigherFrom(entry),
            Newest = entry.Integer("newest", 1, int.MaxValue),
            Allow = allow,
            Deny = deny,
        };
        if (filter.HigherFrom is not null && mode != MirrorMode.Higher)
            entry.Fault("higher-from", "requires mode: higher");
        if (filter.Newest is not null && mode is MirrorMode.All or MirrorMode.Highest)
            entry.Fault("newest", "requires mode: semver or higher");
        if (filter.SemVerRange is not null && mode == MirrorMode.All)
            entry.Fault("semverRange", "requires mode: highest, higher or semver");
        return filter;
    }

    private static SemanticVersionRange? ReadRange(YamlSection entry)
    {
        if (entry.String("semverRange") is not { } text)
            return null;
        if (SemanticVersionRange.TryParse(text, out var range))
            return range;
        entry.Fault("semverRange", $"'{text}' is not a valid version range, such as '>=1.2 <2', '~1.25', '^3' or '1.x || >=3'");
        return null;
    }

    private static HigherFrom? ReadHigherFrom(YamlSection entry)
    {
        switch (entry.String("higher-from"))
        {
            case null:
                return null;
            case "highest":
                return new HigherFrom(null);
            case { } text when SemanticVersion.TryParse(text, out var version):
                return new HigherFrom(version);
            default:
                entry.Fault("higher-from", "must be a version, or highest");
                return null;
        }
    }

    private static (IReadOnlyList<string> Allow, IReadOnlyList<string> Deny) ReadPatterns(YamlSection? tags)
    {
        if (tags is null)
            return ([], []);
        var automata = new AutomatonLimit();
        var patterns = (ReadPatterns(tags, "allow", automata), ReadPatterns(tags, "deny", automata));
        tags.RejectUnknownKeys();
        return patterns;
    }

    /// <summary>Patterns match a whole tag, as in regsync.</summary>
    private static IReadOnlyList<string> ReadPatterns(YamlSection tags, string key, AutomatonLimit automata) =>
        tags.Strings(key, text => SafeRegex.CompileAnchored(text, out var fault) is { } regex ? automata.Add(text, regex) : fault);
}
