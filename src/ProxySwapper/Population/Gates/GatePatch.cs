using System.Text.Json.Nodes;
using ProxySwapper.Admission;

namespace ProxySwapper.Population.Gates;

/// <summary>
/// The JSON patch (RFC 6902) that releases a gated Pod. Its tests restrict it to this Pod with our gate in the position seen; otherwise
/// another gate could be removed, or an image of a running container changed, which restarts it.
/// </summary>
internal static class GatePatch
{
    /// <summary>Creates the patch for a Pod as last seen.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="images">The images to change, with their new values.</param>
    /// <param name="leftOriginal">Why originals are restored, or null if none is.</param>
    public static JsonArray Build(GatedPod pod, IReadOnlyList<(GatedImage Image, string New)> images, string? leftOriginal)
    {
        var gate = $"/spec/schedulingGates/{pod.GateIndex}";
        var patch = new JsonArray(
            Operation("test", "/metadata/uid", pod.Uid),
            Operation("test", $"{gate}/name", GateLabels.Gate),
            Operation("remove", gate)
        );
        if (pod.HasLabel)
            patch.Add((JsonNode?)Operation("remove", $"/metadata/labels/{Token(GateLabels.Gated)}"));
        foreach (var (image, changed) in images)
        {
            patch.Add((JsonNode?)Operation("test", image.Pointer, image.Image));
            patch.Add((JsonNode?)Operation("replace", image.Pointer, changed));
            if (changed == image.Original)
                patch.Add((JsonNode?)Operation("remove", $"/metadata/annotations/{Token(image.AnnotationKey)}"));
        }
        if (leftOriginal is not null)
            patch.Add((JsonNode?)Operation("add", $"/metadata/annotations/{Token(GateLabels.LeftOriginal)}", leftOriginal));
        return patch;
    }

    private static JsonObject Operation(string name, string path, string? value = null)
    {
        var operation = new JsonObject { ["op"] = name, ["path"] = path };
        if (value is not null)
            operation["value"] = value;
        return operation;
    }

    private static string Token(string key) =>
        key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
