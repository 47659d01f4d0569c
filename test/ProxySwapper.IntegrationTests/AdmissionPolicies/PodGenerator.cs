using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using ProxySwapper.Tests.Registry;

namespace ProxySwapper.IntegrationTests.AdmissionPolicies;

/// <summary>Generates Pods with every form of images, in every field, and of metadata.</summary>
internal static class PodGenerator
{
    /// <summary>The namespaces of the Pods.</summary>
    public static string[] Namespaces { get; } = ["default", "team-a", "dev-x", "ops-x", "monitoring"];

    private static readonly Gen<JsonNode?> Labels = Gen.Elements(
            "null",
            "{}",
            """{"app":"web"}""",
            """{"app":"web"}""",
            """{"app":"db"}""",
            """{"k8s-proxy-image-swapper":"other","swapped":"x"}""",
            """{"proxyswapper.io/ignore":"true"}""",
            """{"proxyswapper.io/ignore":"false"}"""
        )
        .Select(text => JsonNode.Parse(text));

    private static readonly Gen<JsonNode?> Annotations = Gen.Elements(
            "null",
            "{}",
            """{"a":"b"}""",
            """{"a":"b"}""",
            """{"b":"c"}""",
            """{"original-image.proxyswapper.io/c0":"before:1"}""",
            """{"kubernetes.io/config.mirror":"x"}""",
            """{"ü":"äöü"}"""
        )
        .Select(text => JsonNode.Parse(text));

    private static readonly Gen<JsonNode?> Owners = Gen.Elements(
            "null",
            "null",
            "null",
            "[]",
            """[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a","uid":"1","controller":true}]""",
            """[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a","uid":"1"}]""",
            """[{"apiVersion":"v1","kind":"Node","name":"a","uid":"1","controller":true}]""",
            """
            [{"apiVersion":"db.example.com/v1","kind":"Cluster","name":"a","uid":"1","controller":true},
             {"apiVersion":"batch/v1","kind":"Job","name":"b","uid":"2","controller":false}]
            """
        )
        .Select(text => JsonNode.Parse(text));

    /// <summary>
    /// A name that few containers and volumes have, for one of a Pod: the list, the index in it and the name. Beyond the list's end none
    /// has it.
    /// </summary>
    private static readonly Gen<(string List, int Index, string Name)> Odd =
        from list in Gen.Elements("c", "c", "i", "v")
        from index in Gen.Choose(0, 20)
        from name in Gen.Elements("-x", "x.y", "UPPER", new('n', 63), new('n', 64), "a/b", "a~b")
        select (list, index, name);

    private static readonly string[] Known =
    [
        "nginx",
        "nginx:1.27",
        "redis",
        "docker.io/nginx",
        "index.docker.io/library/nginx:1",
        "quay.io/a/b:1",
        "r.example/x",
        "r.example/a/library/nginx:latest",
        "localhost:5000/x",
        "eu.gcr.io/p/q/app-1:2",
        "docker.io/team/foo",
        "team/private-x:1",
        "x.example/foo/y/bar",
        "registry.k8s.io/pause:3.9",
        "docker.io/cache-x",
        "docker.io/my-org/library/nginx:latest",
        "quay.io/pause:3.9",
        "Nginx:1",
        "a:b:c",
        "localhost/x",
        "auto",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "index.docker.io/x/y",
        "registry-1.docker.io/library/nginx:1",
        "QUAY.IO:443/a/b:1",
        "localhost:443/x",
        "foo:443/x",
        "[::1]:5000/x",
        "nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ];

    /// <summary>Pods for a configuration: some of their images match its registries and targets.</summary>
    public static Gen<(string Namespace, JsonObject Pod)> Pods(string configuration)
    {
        var images = Images(configuration);
        return from @namespace in Gen.Elements(Namespaces)
            from labels in Labels
            from annotations in Annotations
            from owners in Owners
            from metadata in Gen.Choose(0, 3)
            from containers in Lists(images, 1, 4)
            from initial in Lists(images, 0, 2)
            from isDebugged in Gen.Choose(0, 40)
            from ephemeral in Lists(images, 0, isDebugged == 0 ? 1 : 0)
            from volumes in Lists(images, 0, 2)
            from odd in Odd
            from secrets in Gen.Elements("null", "null", "[]", """[{"name":"harbor"}]""", """[{"name":"own"},{"name":"other.secret"}]""")
            select (
                @namespace,
                new JsonObject
                {
                    ["metadata"] = MetadataOf(metadata, labels, annotations, owners),
                    ["spec"] = new JsonObject
                    {
                        ["containers"] = ContainersOf("c", containers, odd),
                        ["initContainers"] = ContainersOf("i", initial, odd),
                        ["ephemeralContainers"] = ephemeral.Count > 0 ? ContainersOf("e", ephemeral, odd) : null,
                        ["volumes"] = VolumesOf(volumes, odd),
                        ["imagePullSecrets"] = JsonNode.Parse(secrets),
                    },
                }
            );
    }

    /// <summary>A Pod with one container per image.</summary>
    public static JsonObject PodOf(IReadOnlyList<string> images) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = "web" },
            ["spec"] = new JsonObject { ["containers"] = ContainersOf("c", images, default) },
        };

    /// <summary>Updates of a stored Pod: another image, only a label, an additional ephemeral container.</summary>
    public static IEnumerable<(string Subresource, JsonNode Pod)> Updates(JsonNode stored, string configuration)
    {
        var image = Images(configuration).Sample(2, 30).ToArray();
        var changed = stored.DeepClone();
        changed["spec"]!["containers"]![0]!["image"] = image[0];
        yield return ("", changed);
        var labelled = stored.DeepClone();
        labelled["metadata"]!["labels"] = new JsonObject { ["new"] = "label" };
        yield return ("", labelled);
        var debugged = stored.DeepClone();
        var ephemeral = debugged["spec"]!["ephemeralContainers"]?.DeepClone().AsArray() ?? [];
        ephemeral.Add(new JsonObject { ["name"] = "debugger", ["image"] = image[1] });
        debugged["spec"]!["ephemeralContainers"] = ephemeral;
        yield return ("/ephemeralcontainers", debugged);
    }

    public static int ImagesOf(JsonNode pod) =>
        pod["spec"]!.AsObject().Where(list => list.Key != "imagePullSecrets").Sum(list => list.Value?.AsArray().Count ?? 0);

    /// <summary>Images of every form, and paths below a configuration's registries and targets.</summary>
    private static Gen<string> Images(string configuration)
    {
        var options = JsonNode.Parse(configuration)!;
        var places = options["rules"]!
            .AsArray()
            .SelectMany(rule => new[] { rule!["match"], rule["target"] })
            .Append(options["proxyUrl"])
            .Select(place =>
                place
                    ?.ToString()
                    .Replace("{registry}", "quay.io", StringComparison.Ordinal)
                    .Replace("**", "a", StringComparison.Ordinal)
                    .Replace("*", "b", StringComparison.Ordinal)
            )
            .OfType<string>()
            .Append("docker.io")
            .ToArray();
        return Gen.OneOf(
            Gen.Elements(Known),
            ReferenceGenerator.Canonical,
            ReferenceGenerator.Familiar,
            from isNearly in Gen.Choose(0, 4)
            from nearly in ReferenceGenerator.Nearly
            from known in Gen.Elements(Known)
            select isNearly == 0 ? nearly : known,
            from place in Gen.Elements(places)
            from path in ReferenceGenerator.Paths
            from tag in Gen.Elements("", ":1", ":latest")
            select $"{place}/{path}{tag}"
        );
    }

    private static Gen<IReadOnlyList<string>> Lists(Gen<string> images, int minimum, int maximum) =>
        from count in Gen.Choose(minimum, maximum)
        from items in Gen.ListOf(images, count)
        select (IReadOnlyList<string>)[.. items];

    private static string NameOf(string list, int index, (string List, int Index, string Name) odd) =>
        (list, index) == (odd.List, odd.Index) ? odd.Name : $"{list}{index}";

    private static JsonObject MetadataOf(int form, JsonNode? labels, JsonNode? annotations, JsonNode? owners)
    {
        var metadata = form == 0 ? new JsonObject { ["generateName"] = "web-" } : new JsonObject { ["name"] = "web" };
        if (form > 1 || labels is not null)
            metadata["labels"] = labels?.DeepClone();
        if (form > 1 || annotations is not null)
            metadata["annotations"] = annotations?.DeepClone();
        if (owners is not null)
            metadata["ownerReferences"] = owners.DeepClone();
        return metadata;
    }

    private static JsonArray ContainersOf(string list, IReadOnlyList<string> images, (string List, int Index, string Name) odd) =>
        new([.. images.Select((image, index) => (JsonNode)new JsonObject { ["name"] = NameOf(list, index, odd), ["image"] = image })]);

    private static JsonArray VolumesOf(IReadOnlyList<string> images, (string List, int Index, string Name) odd) =>
        new([
            .. images.Select(
                (image, index) =>
                    (JsonNode)(
                        index % 2 == 0
                            ? new JsonObject
                            {
                                ["name"] = NameOf("v", index, odd),
                                ["image"] = new JsonObject { ["reference"] = image },
                            }
                            : new JsonObject { ["name"] = $"v{index}", ["emptyDir"] = new JsonObject() }
                    )
            ),
        ]);
}
