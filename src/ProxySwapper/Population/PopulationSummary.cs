using System.Reflection;
using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>What <c>/populate</c> says beside the queue: version, rules in force, downstream registries, what was finished.</summary>
internal sealed class PopulationSummary(
    FinishedImages finished,
    DownstreamHealth health,
    DryRunImages dryRuns,
    ConfigurationMonitor rules,
    TimeProvider time
)
{
    private static readonly string Version =
        typeof(PopulationSummary).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "";

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteString("now", time.GetUtcNow());
        json.WriteString("version", Version);
        json.WriteString("policy", NameOf(rules.Current.Options.Populate.Policy));
        json.WriteBoolean("dryRun", rules.Current.Options.DryRun);
        WriteDryRuns(json);
        WriteFinished(json);
        WriteDownstreams(json);
        WriteRules(json);
    }

    private void WriteFinished(Utf8JsonWriter json)
    {
        json.WriteStartArray("finished");
        foreach (var image in finished.Snapshot())
        {
            json.WriteStartObject();
            json.WriteString("target", image.Target);
            json.WriteString("result", NameOf(image.Outcome));
            json.WriteNumber("bytes", image.Bytes);
            json.WriteNumber("seconds", Math.Round(image.Duration.TotalSeconds, 3));
            json.WriteString("at", image.At);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>What would be rewritten; it stays to be read when <c>dryRun</c> is switched off.</summary>
    private void WriteDryRuns(Utf8JsonWriter json)
    {
        json.WriteStartArray("wouldRewrite");
        foreach (var image in dryRuns.Snapshot())
        {
            json.WriteStartObject();
            json.WriteString("image", image.Image);
            json.WriteString("target", image.Target);
            json.WriteString("rule", image.Rule);
            json.WriteString("namespace", image.Namespace);
            json.WriteNumber("count", image.Count);
            json.WriteString("lastSeen", image.LastSeen);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteDownstreams(Utf8JsonWriter json)
    {
        json.WriteStartArray("downstreams");
        foreach (var (registry, failure) in health.Snapshot())
        {
            json.WriteStartObject();
            json.WriteString("registry", registry);
            json.WriteString("state", failure is null ? "ok" : "failing");
            if (failure is not null)
                json.WriteString("problem", failure);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteRules(Utf8JsonWriter json)
    {
        var options = rules.Current.Options;
        json.WriteStartArray("rules");
        if (options.Rules.Count == 0 && options.ProxyUrl is not null)
            WriteRule(json, "proxyUrl", "docker.io", options.ProxyUrl, [], populate: true);
        foreach (var (index, rule) in options.Rules.Index())
            WriteRule(
                json,
                $"rules[{index}]",
                rule.Match ?? rule.MatchRegex,
                rule.Target ?? rule.Replace ?? options.ProxyUrl,
                rule.Namespaces,
                rule.Populate
            );
        json.WriteEndArray();
    }

    private static void WriteRule(
        Utf8JsonWriter json,
        string name,
        string? match,
        string? target,
        IReadOnlyList<string> namespaces,
        bool populate
    )
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("match", match);
        json.WriteString("target", target);
        json.WriteBoolean("populate", populate);
        json.WriteStartArray("namespaces");
        foreach (var one in namespaces)
            json.WriteStringValue(one);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
