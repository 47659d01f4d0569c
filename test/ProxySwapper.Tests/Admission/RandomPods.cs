using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace ProxySwapper.Tests.Admission;

/// <summary>Unusual Pods: lists and objects that are missing, null, or full of nulls.</summary>
internal static class RandomPods
{
    private static readonly string[] Images =
    [
        "nginx",
        "registry:2",
        "quay.io/a/b:1",
        "r.example:5000/mirror/library/nginx:1",
        "UPPER",
        "a:b:c",
        "",
        "größe",
        "localhost:5000/x",
        "x@sha256:12",
        "team/app:1.2.3",
    ];

    private static readonly string[] Keys =
    [
        "a.example/b",
        "app",
        "a~b",
        "original-image.proxyswapper.io/c0",
        "proxyswapper.io/ignore",
        "",
        "größe",
    ];

    public static readonly Gen<JsonObject> All =
        from metadata in Gen.OneOf(Gen.Constant<JsonNode?>(null), Metadata())
        from containers in Containers("c")
        from initContainers in Containers("i")
        from ephemeralContainers in Containers("e")
        from volumes in Gen.ListOf(
            Gen.Elements(Images)
                .Select(image =>
                    (JsonNode?)
                        new JsonObject
                        {
                            ["name"] = "v",
                            ["image"] = new JsonObject { ["reference"] = image },
                        }
                )
        )
        from hasMetadata in Gen.Elements(true, false)
        select Pod(hasMetadata, metadata, containers, initContainers, ephemeralContainers, Number(volumes, "v"));

    private static Gen<JsonNode?> Metadata() =>
        from labels in Map()
        from annotations in Map()
        from hasLabels in Gen.Elements(true, false)
        from hasAnnotations in Gen.Elements(true, false)
        select (JsonNode?)Object(("labels", hasLabels, labels), ("annotations", hasAnnotations, annotations));

    private static Gen<JsonNode?> Map() =>
        Gen.OneOf(
            Gen.Constant<JsonNode?>(null),
            Gen.SubListOf(Keys)
                .SelectMany(keys =>
                    Gen.Elements("c", "true", "x")
                        .Select(value => (JsonNode?)new JsonObject(keys.Select(key => KeyValuePair.Create(key, (JsonNode?)value))))
                )
        );

    private static Gen<JsonNode?> Containers(string prefix) =>
        Gen.OneOf(
            Gen.Constant<JsonNode?>(null),
            Gen.ListOf(Gen.Elements(Images))
                .Select(images =>
                    (JsonNode?)Number(images.Select(image => (JsonNode?)new JsonObject { ["name"] = "", ["image"] = image }), prefix)
                )
        );

    private static JsonArray Number(IEnumerable<JsonNode?> items, string prefix)
    {
        var array = new JsonArray([.. items.Select(item => item?.DeepClone())]);
        foreach (var (index, item) in array.Index())
            item!["name"] = $"{prefix}{index}";
        return array;
    }

    public static JsonObject Pod(
        bool hasMetadata,
        JsonNode? metadata,
        JsonNode? containers,
        JsonNode? initContainers,
        JsonNode? ephemeralContainers,
        JsonNode? volumes
    ) =>
        Object(
            ("metadata", hasMetadata, metadata),
            (
                "spec",
                true,
                Object(
                    ("containers", true, containers),
                    ("initContainers", true, initContainers),
                    ("ephemeralContainers", true, ephemeralContainers),
                    ("volumes", true, volumes)
                )
            )
        );

    private static JsonObject Object(params (string Key, bool Exists, JsonNode? Value)[] members) =>
        new(members.Where(member => member.Exists).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
}
