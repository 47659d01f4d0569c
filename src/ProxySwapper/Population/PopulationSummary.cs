using System.Text.Json;
using ProxySwapper.Admission;
using ProxySwapper.Configuration;
using ProxySwapper.Management;
using ProxySwapper.Population.Cluster;
using ProxySwapper.Population.Downstream;
using ProxySwapper.Population.Queue;
using ProxySwapper.Population.Transfer;
using ProxySwapper.Registry;
using ProxySwapper.Rules;

namespace ProxySwapper.Population;

/// <summary>
/// The parts of <c>/populate</c> other than the queue: version, rules, downstream registries, remaining pulls and finished images.
/// </summary>
internal sealed class PopulationSummary(
    FinishedImages finished,
    DownstreamHealth health,
    RegistryConnections registries,
    KubernetesAccess kubernetes,
    DryRunImages dryRuns,
    ConfigurationMonitor rules,
    TimeProvider time
)
{
    private static readonly string Version = ProgramVersion.Read().Version;

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteString("now", time.GetUtcNow());
        json.WriteString("version", Version);
        json.WriteString("replica", kubernetes.PodName);
        var options = rules.Current.Options;
        var populate = options.Populate;
        json.WriteString("policy", NameOf(populate.Policy));
        if (populate.Policy == PopulatePolicy.Gate)
        {
            json.WriteStartObject("gate");
            json.WriteNumber("deadlineSeconds", populate.Gate.Deadline.TotalSeconds);
            json.WriteString("onFailure", NameOf(populate.Gate.OnFailure));
            json.WriteEndObject();
        }
        json.WriteBoolean("dryRun", options.DryRun);
        WriteDryRuns(json);
        WriteFinished(json);
        WriteDownstreams(json);
        WriteRateLimits(json);
        WriteRules(json, options);
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
        foreach (var state in health.Snapshot())
        {
            json.WriteStartObject();
            json.WriteString("registry", state.Registry.Text);
            json.WriteString(
                "state",
                state.Failure is not null ? "failing"
                    : state.CheckedAt is null ? "unchecked"
                    : state.LastFailure is not null ? "unsure"
                    : "ok"
            );
            json.WriteString("access", NameOf(state.Access));
            if (state.LastFailure is not null)
                json.WriteString("problem", state.LastFailure);
            if (state.CheckedAt is { } at)
                json.WriteString("checkedAt", at);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteRateLimits(Utf8JsonWriter json)
    {
        json.WriteStartArray("rateLimits");
        foreach (var (registry, status) in registries.RateLimits)
        {
            json.WriteStartObject();
            json.WriteString("registry", registry.Text);
            json.WriteNumber("remaining", status.Remaining);
            if (status.Limit is { } limit)
                json.WriteNumber("limit", limit);
            if (status.Window is { } window)
                json.WriteNumber("windowSeconds", window.TotalSeconds);
            json.WriteString("at", status.At);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteRules(Utf8JsonWriter json, ProxySwapperOptions options)
    {
        json.WriteStartArray("rules");
        if (options.Rules.Count == 0 && options.ProxyUrl is not null)
            WriteRule(json, "proxyUrl", RegistryName.DockerHubText, options.ProxyUrl, [], populate: true);
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
