using System.Text.Json.Nodes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>The chart's objects in the form that an older API server accepts.</summary>
internal static class OlderKubernetes
{
    /// <summary>Older names of versions, with the same fields.</summary>
    private static readonly Dictionary<string, string> OlderVersions = new()
    {
        ["policy/v1"] = "policy/v1beta1",
        ["batch/v1 CronJob"] = "batch/v1beta1",
    };

    /// <summary>Fields that older servers do not have.</summary>
    private static readonly string[] NewerFields = ["timeZone", "matchConditions", "completionMode"];

    /// <summary>Rewrites an object for a server with these versions.</summary>
    /// <returns>False if the server does not have its kind in any version.</returns>
    public static bool TryConvert(JsonObject item, HashSet<string> versions)
    {
        var version = (string)item["apiVersion"]!;
        // Since 1.30, in a group and version that older servers have for other kinds.
        if (((string)item["kind"]!).Contains("AdmissionPolicy", StringComparison.Ordinal) && versions.Contains("batch/v1beta1"))
            return false;
        if (
            !versions.Contains(version)
            || version == "batch/v1" && (string?)item["kind"] == "CronJob" && versions.Contains("batch/v1beta1")
        )
        {
            var older = OlderVersions.GetValueOrDefault(version) ?? OlderVersions.GetValueOrDefault($"{version} {item["kind"]}");
            if (older is null || !versions.Contains(older))
                return false;
            item["apiVersion"] = older;
        }
        if (!versions.Contains("batch/v1beta1") || versions.Contains("policy/v1"))
            return true;
        RemoveNewerFields(item);
        return true;
    }

    private static void RemoveNewerFields(JsonNode? node)
    {
        if (node is JsonObject item)
        {
            foreach (var field in NewerFields)
                item.Remove(field);
            foreach (var (_, value) in item)
                RemoveNewerFields(value);
        }
        else if (node is JsonArray list)
            foreach (var value in list)
                RemoveNewerFields(value);
    }
}
