using ProxySwapper.Configuration.Yaml;
using ProxySwapper.Patterns;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Configuration;

/// <summary>Reads the section <c>populate</c>; blocks written for the two populator plugins work unchanged.</summary>
internal static class PopulateSectionReader
{
    public static PopulateOptions Read(YamlSection top, AdmissionPolicyOptions admissionPolicy, AutomatonLimit automata)
    {
        var defaults = new PopulateOptions();
        // An admission policy adds no gates.
        if (admissionPolicy.Name is not null)
            defaults = defaults with { Policy = PopulatePolicy.Delayed };
        if (top.Section("populate") is not { } section)
            return defaults;
        var options = defaults with
        {
            Policy = section.Choice<PopulatePolicy>("policy") ?? defaults.Policy,
            Deadline = section.Duration("deadline", TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(29)) ?? defaults.Deadline,
            MaxNumberOfParallelJobs = section.Integer("maxNumberOfParallelJobs", 1, 256) ?? defaults.MaxNumberOfParallelJobs,
            MaxRetries = section.Integer("maxRetries", 0, 1000) ?? defaults.MaxRetries,
            QueueLimit = section.Integer("queueLimit", 1, 1_000_000) ?? defaults.QueueLimit,
            CopyTimeout = section.Duration("copyTimeout", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)) ?? defaults.CopyTimeout,
            Platforms = ReadPlatforms(section),
            RecheckAfter = section.Duration("recheckAfter", TimeSpan.Zero, TimeSpan.FromDays(365)) ?? defaults.RecheckAfter,
            ReconcileEvery = section.Duration("reconcileEvery", TimeSpan.Zero, TimeSpan.FromDays(365)) ?? defaults.ReconcileEvery,
            Backfill = section.Boolean("backfill") ?? defaults.Backfill,
            PullSecrets = section.Boolean("pullSecrets") ?? defaults.PullSecrets,
            Gate = ReadGate(section),
            ProxyCaches = [.. section.Sections("proxyCaches").Select(cache => ReadProxyCache(cache, automata))],
        };
        section.RejectUnknownKeys();
        return options;
    }

    private static IReadOnlyList<Platform> ReadPlatforms(YamlSection section)
    {
        var platforms = PlatformParser.Read(section, "platforms");
        if (PlatformParser.ReadOne(section, "platform") is not { } single)
            return platforms;
        if (platforms.Count > 0)
            section.Fault("platform", "cannot be combined with platforms");
        return [single];
    }

    private static GateOptions ReadGate(YamlSection populate)
    {
        var defaults = new GateOptions();
        if (populate.Section("gate") is not { } section)
            return defaults;
        var gate = new GateOptions
        {
            Deadline = section.Duration("deadline", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? defaults.Deadline,
            OnFailure = section.Choice<GateFailurePolicy>("onFailure") ?? defaults.OnFailure,
            Schedulers = section.Has("schedulers") ? section.Strings("schedulers") : defaults.Schedulers,
            Jobs = section.Boolean("jobs") ?? defaults.Jobs,
            PinDigests = section.Boolean("pinDigests") ?? defaults.PinDigests,
        };
        section.RejectUnknownKeys();
        return gate;
    }

    private static ProxyCacheOptions ReadProxyCache(YamlSection section, AutomatonLimit automata)
    {
        var defaults = new ProxyCacheOptions();
        var cache = new ProxyCacheOptions
        {
            PatternEcrProxyCache = Pattern(section, "patternEcrProxyCache", groups: 5, automata),
            Platform = PlatformParser.ReadOne(section, "platform"),
            Region = section.String("region"),
            RegexUrl = Pattern(section, "regexURL", groups: 0, automata),
            ReplacementOci = section.String("replacementOCI"),
            ReplacementArch = section.String("replacementArch"),
            TargetArch = section.String("targetArch") ?? defaults.TargetArch,
            TargetOs = section.String("targetOS") ?? defaults.TargetOs,
        };
        if (section.Has("patternEcrProxyCache") == section.Has("regexURL"))
            section.Fault("patternEcrProxyCache", "exactly one of patternEcrProxyCache and regexURL is required");
        if (section.Has("regexURL") && cache.ReplacementOci is null)
            section.Fault("replacementOCI", "is required: the manifest URL, such as https://harbor.example.com/v2/$1/$2/manifests/$3");
        if (cache.ReplacementOci is { } manifest && ManifestUrl.Validate(manifest) is { } fault)
            section.Fault("replacementOCI", fault);
        if (cache.ReplacementArch is { Length: > 0 } child && ManifestUrl.Validate(child) is { } childFault)
            section.Fault("replacementArch", childFault);
        section.RejectUnknownKeys();
        return cache;
    }

    private static string? Pattern(YamlSection section, string key, int groups, AutomatonLimit automata)
    {
        if (section.String(key) is not { } text)
            return null;
        if (SafeRegex.Compile(text, out var fault) is not { } regex)
            section.Fault(key, fault!);
        else if (automata.Add(text, regex) is { } many)
            section.Fault(key, many);
        else if (groups > 0 && regex.GetGroupNumbers().Length - 1 != groups)
            section.Fault(
                key,
                $"must have {groups} groups: registry, prefix, upstream host, image, tag; it has {regex.GetGroupNumbers().Length - 1}"
            );
        return text;
    }
}
