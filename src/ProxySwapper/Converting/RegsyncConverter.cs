using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ProxySwapper.Registry;

namespace ProxySwapper.Converting;

/// <summary>regsync's configuration (<see href="https://regclient.org/usage/regsync/"/>), as a mirror file.</summary>
internal sealed partial class RegsyncConverter
{
    /// <summary>Settings of regclient that we determine automatically.</summary>
    private static readonly string[] NotNeeded =
    [
        "repoAuth",
        "blobChunk",
        "blobMax",
        "credExpire",
        "fastCopy",
        "forceRecursive",
        "cacheCount",
        "cacheTime",
        "mediaTypes",
        "userAgent",
    ];

    private readonly MirrorEntries _entries = new("as with regsync; use another target to keep them apart");

    public JsonObject Convert(ForeignSection top)
    {
        foreach (var key in top.Keys.Where(key => key.StartsWith("x-", StringComparison.Ordinal)).ToList())
            top.Skip(key);
        top.Skip("version");
        var registries = new RegistryEntries();
        foreach (var registry in top.Sections("creds"))
            RegsyncCredentials.Read(registry, registries);
        var defaults = top.Section("defaults");
        var referrers = defaults?.Boolean("referrers") ?? false;
        if (defaults is not null)
            ReadCommon(defaults);
        defaults?.LeaveOut("parallel", "use the option of proxyswapper mirror: --parallel N");
        defaults?.LeaveOutUnread();
        foreach (var sync in top.Sections("sync"))
            ReadSync(sync, referrers);
        top.LeaveOutUnread();
        return _entries.ToFile(registries);
    }

    private static void ReadCommon(ForeignSection section)
    {
        foreach (var key in (string[])["interval", "schedule"])
            section.LeaveOut(key, "each run is a single pass, started by a CronJob: set mirror.schedule in the chart's values");
        section.LeaveOut("ratelimit", "the limit that a registry reports is obeyed: use --on-rate-limit wait or stop");
        section.LeaveOut("backup", "has no counterpart: the previous content of a tag is not kept");
        section.LeaveOut("skipDockerConfig", "Docker's config.json is used unless an entry of registries says otherwise");
        section.LeaveOut(
            "digestTags",
            "mode: all copies signatures that are stored as tags (sha256-….sig); referrers: true copies the others"
        );
        foreach (var key in (string[])["referrerFilters", "referrerSource", "referrerTarget"])
            section.LeaveOut(key, "has no counterpart: referrers: true copies all of them, next to their image");
        section.LeaveOut("hooks", "has no counterpart");
        section.Skip(NotNeeded);
    }

    private void ReadSync(ForeignSection sync, bool referrersByDefault)
    {
        var (source, target, type) = (sync.String("source") ?? "", sync.String("target") ?? "", sync.String("type"));
        var referrers = sync.Boolean("referrers") ?? referrersByDefault;
        if (Template().IsMatch(source + target))
            sync.LeaveOut("", $"uses a template: write out '{source}' and '{target}'");
        else if (source.StartsWith("ocidir://", StringComparison.Ordinal) || target.StartsWith("ocidir://", StringComparison.Ordinal))
            sync.LeaveOut("", "only registries can be mirrored, not OCI layout directories");
        else if (type == "registry")
            sync.LeaveOut("", $"'{source}' is a whole registry: list its repositories");
        else if (type == "image")
            ReadImage(sync, source, target, referrers);
        else if (type == "repository")
            ReadRepository(sync, source, target, referrers);
        else
            sync.Fault("type", "must be one of registry, repository, image");
        if (type == "registry" || Template().IsMatch(source + target))
            return;
        ReadCommon(sync);
        sync.LeaveOut("repos", "only applies to whole registries");
        sync.LeaveOut("targetTag", "has no counterpart: a tag keeps its name");
        sync.LeaveOutUnread();
    }

    private void ReadImage(ForeignSection sync, string source, string target, bool referrers)
    {
        if (Parse(sync, "source", source) is not { } from || Parse(sync, "target", target) is not { } to)
            return;
        if (from.Digest is not null || from.Tag != to.Tag)
        {
            sync.LeaveOut("source", $"the tag changes, which a mirror file cannot express: use proxyswapper copy {source} {target}");
            sync.Skip("platform");
            return;
        }
        var entry = _entries.Add(sync, "target", from, $"{to.Registry}/{to.Repository}", sync.String("platform"));
        entry["tags"] = new JsonObject { ["allow"] = MirrorEntries.Exactly([from.Tag ?? "latest"]) };
        AddReferrers(entry, referrers);
    }

    private void ReadRepository(ForeignSection sync, string source, string target, bool referrers)
    {
        if (Parse(sync, "source", source) is not { } from || Parse(sync, "target", target) is not { } to)
            return;
        List<ForeignSection> sets = [.. sync.Sections("tagSets")];
        if (sync.Section("tags") is { } tags)
            sets.Insert(0, tags);
        if (sets.Count == 0)
            AddReferrers(_entries.Add(sync, "target", from, $"{to.Registry}/{to.Repository}", sync.String("platform")), referrers);
        foreach (var set in sets)
        {
            var entry = _entries.Add(sync, "target", from, $"{to.Registry}/{to.Repository}", sync.String("platform"));
            if (set.Strings("semverRange") is { Count: > 0 } ranges)
                (entry["mode"], entry["semverRange"], entry["allow-prerelease"]) = ("semver", string.Join(" || ", ranges), true);
            var filter = new JsonObject();
            foreach (var key in (string[])["allow", "deny"])
                if (set.Strings(key) is { Count: > 0 } expressions)
                    filter[key] = expressions.ToJson();
            if (filter.Count > 0)
                entry["tags"] = filter;
            set.LeaveOutUnread();
            AddReferrers(entry, referrers);
        }
    }

    private static void AddReferrers(JsonObject entry, bool referrers)
    {
        if (referrers)
            entry["referrers"] = true;
    }

    private static ImageReference? Parse(ForeignSection sync, string key, string text)
    {
        if (ImageReference.TryParse(text, out var image, out var fault))
            return image;
        sync.Fault(key, string.Create(CultureInfo.InvariantCulture, $"invalid image '{text}': {fault}"));
        return null;
    }

    [GeneratedRegex(@"\{\{")]
    private static partial Regex Template();
}
