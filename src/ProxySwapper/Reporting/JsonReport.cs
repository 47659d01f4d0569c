using System.Text.Json;

namespace ProxySwapper.Reporting;

/// <summary>A machine-readable report. Names are stable; new ones may be added (all are in docs/commands.md).</summary>
internal static class JsonReport
{
    public static void Write(Stream output, ImageReport report, bool isIndented)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = isIndented });
        json.WriteStartObject();
        json.WriteNumber("workloads", report.Workloads);
        json.WriteNumber("pods", report.Pods);
        json.WriteNumber("rewrittenPods", report.RewrittenPods);
        json.WriteString("admissionPolicy", report.AdmissionPolicy);
        Write(json, "summary", ReportMessages.Summary(report));
        Write(json, "problems", report.Problems);
        Write(json, "assumptions", report.Assumptions);
        json.WriteBoolean("complete", !report.IsIncomplete);
        Write(json, report.PullLimit);
        json.WriteStartArray("registries");
        foreach (var registry in report.Registries)
            Write(json, registry);
        json.WriteEndArray();
        json.WriteStartArray("images");
        foreach (var entry in report.Entries)
            Write(json, entry);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IEnumerable<string> lines)
    {
        json.WriteStartArray(name);
        foreach (var line in lines)
            json.WriteStringValue(line);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, PullLimit limit)
    {
        json.WriteStartObject("dockerHubLimit");
        json.WriteString("source", limit.Reported is null ? "documentation" : "response");
        Write(json, "pulls", limit.Reported is { } reported ? reported.Limit : PullLimit.Anonymous);
        Write(json, "remaining", limit.Reported?.Remaining);
        Write(json, "seconds", (int?)(limit.Reported is { } last ? last.Window : PullLimit.Window)?.TotalSeconds);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, int? number)
    {
        if (number is { } value)
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    private static void Write(Utf8JsonWriter json, RegistrySummary registry)
    {
        json.WriteStartObject();
        json.WriteString("registry", registry.Registry.Text);
        json.WriteStartObject("unswapped");
        foreach (var (reason, count) in registry.Unswapped.OrderBy(pair => pair.Key))
            json.WriteNumber(ReportMessages.NameOf(reason), count);
        json.WriteEndObject();
        json.WriteNumber("missing", registry.Missing);
        json.WriteNumber("imagesThatCouldNotStart", registry.StuckImages);
        json.WriteNumber("workloadsThatCouldNotStart", registry.StuckWorkloads);
        json.WriteNumber("undecided", registry.Undecided);
        json.WriteNumber("coldStartPulls", registry.Cost.Pulls);
        json.WriteNumber("coldStartBytes", registry.Cost.Bytes);
        json.WriteNumber("maximumColdStartPulls", registry.MaximumCost.Pulls);
        json.WriteNumber("maximumColdStartBytes", registry.MaximumCost.Bytes);
        json.WriteNumber("unknownSizes", registry.MaximumCost.UnknownSizes);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ImageEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("image", entry.Name);
        json.WriteString("registry", entry.Registry?.Text);
        json.WriteString("state", ReportMessages.NameOf(entry.State));
        json.WriteString("reason", ReportMessages.NameOf(entry.Decision.Reason));
        json.WriteString("explanation", ReportMessages.ReasonOf(entry));
        json.WriteString("rule", entry.Decision.Rule);
        json.WriteString("target", entry.Target?.ToString());
        if (entry.Problem is not null)
            json.WriteString("problem", entry.Problem);
        if (entry.IsSameDigest is { } isSame)
            json.WriteBoolean("sameDigest", isSame);
        if (entry.Size is { } size)
            json.WriteNumber("bytes", size);
        json.WriteNumber("nodes", entry.Nodes);
        json.WriteNumber("runningOriginal", entry.RunningOriginal);
        json.WriteNumber("runningTarget", entry.RunningTarget);
        json.WriteStartArray("workloads");
        foreach (var workload in entry.Workloads.Select(workload => workload.ToString()).Order(StringComparer.Ordinal))
            json.WriteStringValue(workload);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
