using System.Text;
using System.Text.Json.Nodes;
using ProxySwapper.Registry.InMemory;
using ProxySwapper.Registry.Oci;

namespace ProxySwapper.Demo;

/// <summary>A small generated image for two platforms.</summary>
internal static class DemoImage
{
    private const int LayerSize = 512 * 1024;

    /// <summary>Adds the image to a registry and returns its index.</summary>
    public static Descriptor AddTo(InMemoryRegistry registry, string repository, string tag)
    {
        var children = new JsonArray();
        foreach (var architecture in (string[])["amd64", "arm64"])
        {
            var layer = new byte[LayerSize];
            Random.Shared.NextBytes(layer);
            var config = new JsonObject
            {
                ["architecture"] = architecture,
                ["os"] = "linux",
                ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray() },
            };
            var manifest = registry.AddManifest(
                repository,
                MediaTypes.OciManifest,
                Json(
                    new JsonObject
                    {
                        ["schemaVersion"] = 2,
                        ["mediaType"] = MediaTypes.OciManifest,
                        ["config"] = Describe(registry.AddBlob(repository, Json(config), "application/vnd.oci.image.config.v1+json")),
                        ["layers"] = new JsonArray(Describe(registry.AddBlob(repository, layer, "application/vnd.oci.image.layer.v1.tar"))),
                    }
                )
            );
            var child = Describe(manifest);
            child["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = architecture };
            children.Add((JsonNode)child);
        }
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = children,
        };
        return registry.AddManifest(repository, MediaTypes.OciIndex, Json(index), tag);
    }

    private static byte[] Json(JsonObject content) => Encoding.UTF8.GetBytes(content.ToJsonString());

    private static JsonObject Describe(Descriptor descriptor) =>
        new()
        {
            ["mediaType"] = descriptor.MediaType,
            ["digest"] = descriptor.Digest.ToString(),
            ["size"] = descriptor.Size,
        };
}
