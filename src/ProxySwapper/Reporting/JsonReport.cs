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
        json.WriteStartArray("summary");
        foreach (var line in ReportWords.Summary(report))
            json.WriteStringValue(line);
        json.WriteEndArray();
        json.WriteStartArray("problems");
        foreach (var problem in report.Problems)
            json.WriteStringValue(problem);
        json.WriteEndArray();
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

    private static void Write(Utf8JsonWriter json, RegistrySummary registry)
    {
        json.WriteStartObject();
        json.WriteString("registry", registry.Registry);
        json.WriteStartObject("unswapped");
        foreach (var (reason, count) in registry.Unswapped.OrderBy(pair => pair.Key))
            json.WriteNumber(ReportWords.NameOf(reason), count);
        json.WriteEndObject();
        json.WriteNumber("missing", registry.Missing);
        json.WriteNumber("workloadsThatCouldNotStart", registry.StuckWorkloads);
        json.WriteNumber("coldStartPulls", registry.Pulls);
        json.WriteNumber("coldStartBytes", registry.Bytes);
        json.WriteNumber("unknownSizes", registry.UnknownSizes);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ImageEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("image", entry.Name);
        json.WriteString("registry", entry.Registry);
        json.WriteString("state", ReportWords.NameOf(entry.State));
        json.WriteString("reason", ReportWords.NameOf(entry.Decision.Reason));
        json.WriteString("explanation", ReportWords.ReasonOf(entry.Decision));
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
