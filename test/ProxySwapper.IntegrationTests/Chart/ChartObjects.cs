using System.Text.Json.Nodes;

namespace ProxySwapper.IntegrationTests.Chart;

/// <summary>Queries of the chart's objects.</summary>
internal static class ChartObjects
{
    /// <summary>Whether an object is a Helm hook, of one kind or of any.</summary>
    public static bool IsHook(JsonObject item, string? kind = null) =>
        item["metadata"]!["annotations"]?["helm.sh/hook"] is { } hook && (kind is null || (string?)hook == kind);

    public static bool Selects(JsonObject selector, JsonNode item) =>
        selector.All(pair => (string?)item["metadata"]!["labels"]?[pair.Key] == (string?)pair.Value);

    public static IEnumerable<string?> PortsOf(JsonNode pod) =>
        pod["spec"]!["containers"]!
            .AsArray()
            .SelectMany(container => container!["ports"]?.AsArray() ?? [])
            .Select(port => (string?)port!["name"]);
}
