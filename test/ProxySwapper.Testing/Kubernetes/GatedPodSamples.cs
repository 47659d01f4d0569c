using System.Text.Json.Nodes;

namespace ProxySwapper.Testing.Kubernetes;

/// <summary>Pods that the webhook has gated.</summary>
internal static class GatedPodSamples
{
    public const string Gate = "proxyswapper.io/image";
    public const string Label = "proxyswapper.io/gated";
    public const string LeftOriginal = "proxyswapper.io/left-original";

    /// <summary>A Pod whose containers were rewritten from the originals to the targets.</summary>
    public static JsonObject Create(string @namespace, string name, params (string Original, string Target)[] images) =>
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["namespace"] = @namespace,
                ["name"] = name,
                ["labels"] = new JsonObject { [Label] = "true", ["k8s-proxy-image-swapper"] = "patched-image" },
                ["annotations"] = new JsonObject(
                    images
                        .SelectMany(
                            (image, index) =>
                                new[]
                                {
                                    ($"original-image.proxyswapper.io/c{index}", image.Original),
                                    ($"gated-image.proxyswapper.io/c{index}", image.Target),
                                }
                        )
                        .Select(entry => KeyValuePair.Create(entry.Item1, (JsonNode?)entry.Item2))
                ),
            },
            ["spec"] = new JsonObject
            {
                ["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = Gate }),
                ["containers"] = new JsonArray([
                    .. images.Select((image, index) => new JsonObject { ["name"] = $"c{index}", ["image"] = image.Target }),
                ]),
            },
        };

    /// <summary>The images of a Pod's containers.</summary>
    public static IReadOnlyList<string> ImagesOf(JsonNode pod) =>
        [.. pod["spec"]!["containers"]!.AsArray().Select(container => (string)container!["image"]!)];

    /// <summary>The names of a Pod's gates.</summary>
    public static IReadOnlyList<string> GatesOf(JsonNode pod) =>
        [.. (pod["spec"]!["schedulingGates"] as JsonArray ?? []).Select(gate => (string)gate!["name"]!)];
}
